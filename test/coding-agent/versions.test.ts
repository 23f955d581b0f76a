import { readFileSync } from 'fs';
import { join } from 'path';
import { AGENT_NODE, AGENT_PYTHON, PROGRAM_VERSIONS } from '../../src/agent/versions';
import { isFullNpmVersion, isPipVersion, PINNED_VERSIONS } from '../../src/image/versions';

const read = (path: string) => readFileSync(join(__dirname, '../..', path), 'utf8');

describe.each(Object.entries(PROGRAM_VERSIONS))('the version of %s', (program, version) => {
  test('is a full one', () => {
    expect(['aider', 'strands'].includes(program) ? isPipVersion(version) : isFullNpmVersion(version)).toBe(true);
  });

  test.each(['src/coding-agent/coding-agent-options.ts', 'docs/agents.md'])('is the one that %s names', (path) => {
    expect(read(path)).toMatch(new RegExp(`['\`] ?${version.replace(/\./g, '\\.')}[',]`));
  });
});

test('the runtimes of agents have pinned versions', () => {
  expect([PINNED_VERSIONS.node[AGENT_NODE], PINNED_VERSIONS.python[AGENT_PYTHON]]).toEqual([expect.any(String), expect.any(String)]);
  expect(read('docs/agents.md')).toContain(`Node.js ${AGENT_NODE}, Python ${AGENT_PYTHON}`);
});
