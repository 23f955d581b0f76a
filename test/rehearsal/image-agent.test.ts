import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { ThisMachine } from '../../rehearsal/cli/this-machine';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { agentOfAsset } from '../../rehearsal/run/image-agent';
import type { RehearsalRecord } from '../../rehearsal/run/record';
import { AgentImage, AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../../src';
import { Story } from '../../src/journal/story';
import { Terminal } from '../../src/journal/terminal';
import { WorkingCopy } from '../support/command-line';

jest.setTimeout(120_000);

let directory: string;
let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ answer: '41\n' });
  directory = mkdtempSync(join(tmpdir(), 'image-agent-'));
});
afterEach(() => {
  copy.remove();
  rmSync(directory, { recursive: true, force: true });
});

function files(texts: { readonly [path: string]: string }): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

function agentOf(lines: readonly string[], more: { readonly target?: string; readonly buildArgs?: Record<string, string> } = {}) {
  files({ 'server.mjs': '', 'src/server.mjs': '', 'other/server.mjs': '', 'Dockerfile': lines.join('\n') });
  return agentOfAsset({ tag: 'tag', directory, dockerfile: join(directory, 'Dockerfile'), ...more });
}

test.each([
  ['files one by one', ['FROM x', 'WORKDIR /app', 'COPY server.mjs package.json ./', 'CMD ["node", "server.mjs"]'], '.'],
  ['the whole context', ['FROM x', 'WORKDIR /app', 'COPY . .', 'CMD ["node", "server.mjs"]'], '.'],
  ['a directory', ['FROM x', 'WORKDIR /app', 'COPY src/ /app/', 'CMD ["node", "server.mjs"]'], 'src'],
  ['a directory, with options', ['FROM x', 'WORKDIR /app', 'COPY --chown=1000:1000 src ./', 'CMD ["node", "server.mjs"]'], 'src'],
  ['a directory, as JSON', ['FROM x', 'WORKDIR /app', 'ADD ["src", "."]', 'CMD ["node", "server.mjs"]'], 'src'],
  ['two directories, the later over the earlier', ['FROM x', 'WORKDIR /app', 'COPY other .', 'COPY src .', 'CMD ["node", "server.mjs"]'], 'src'],
  ['a directory to another place', ['FROM x', 'COPY src /lib', 'WORKDIR /app', 'COPY server.mjs .', 'CMD ["node", "server.mjs"]'], '.'],
  ['a directory before the working directory is set', ['FROM x', 'COPY src /app', 'WORKDIR /app', 'CMD ["node", "server.mjs"]'], 'src'],
  ['a directory named by variables', ['FROM x', 'ARG FROM=src', 'ENV HOME=/app', 'WORKDIR $HOME', 'COPY ${FROM} ${HOME}', 'CMD ["node", "server.mjs"]'], 'src'],
  ['a directory of another stage', ['FROM x AS build', 'COPY . /', 'FROM x', 'WORKDIR /app', 'COPY --from=build src .', 'CMD ["node", "server.mjs"]'], '.'],
  ['a directory in the parent stage', ['FROM x AS base', 'WORKDIR /app', 'COPY src .', 'FROM base', 'CMD ["node", "server.mjs"]'], 'src'],
])('an agent starts in the directory that its files come from: %s', (_, lines, home) => {
  expect(agentOf(lines)).toEqual({ command: ['node', 'server.mjs'], workingDirectory: join(directory, home) });
});

test('a file of the image is mapped to its source', () => {
  const agent = agentOf(['FROM x', 'WORKDIR /app', 'COPY src .', 'ENTRYPOINT ["/usr/bin/env", "node"]', 'CMD ["/app/server.mjs", "/app/nothing"]']);

  expect(agent?.command).toEqual(['/usr/bin/env', 'node', join(directory, 'src/server.mjs'), '/app/nothing']);
});

test('builds the stage whose command applies', () => {
  const lines = ['ARG DIR=other', 'FROM x AS agent', 'ARG DIR', 'WORKDIR /app', 'COPY $DIR .', 'CMD ["node", "server.mjs"]', 'FROM x', 'CMD ["false"]'];

  expect(agentOf(lines, { target: 'agent', buildArgs: { DIR: 'src' } })).toEqual({ command: ['node', 'server.mjs'], workingDirectory: join(directory, 'src') });
  expect(agentOf(lines)).toEqual({ command: ['false'], workingDirectory: directory });
});

test.each([
  ['a command in shell form', ['FROM x', 'CMD node server.mjs']],
  ['no command', ['FROM x']],
])('starts nothing for %s', (_, lines) => {
  expect(agentOf(lines)).toBeUndefined();
});

/** A loop like the first example of the README. */
function synth(): string {
  const app = new App({ outdir: join(directory, 'cdk.out'), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentImage.fromDirectory(join(directory, 'agent'), { command: ['node', 'server.mjs'] }),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromInput(), gates: [Gate.command('test', 'grep 42 answer')] });
  return app.synth().directory;
}

const AGENT = `
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
createServer(async (request, response) => {
  if (request.url === '/ping') return response.end('{"status":"Healthy"}');
  const { workspace } = JSON.parse(Buffer.concat(await request.toArray()));
  writeFileSync(workspace + '/answer', '42');
  response.end('{}');
}).listen(process.env.PORT);
`;

async function rehearse(repository: string): Promise<RehearsalRecord> {
  const rehearsal = await Rehearsal.start({ assembly: synth(), repository });
  try {
    return await rehearsal.run({ prompt: 'What is the answer?' }, { retryDelay: 0 });
  } finally {
    await rehearsal.close();
  }
}

test('the agent of an image without a Dockerfile runs in the image\'s directory', async () => {
  files({ 'agent/server.mjs': AGENT });

  const record = await rehearse(copy.directory);

  expect([record.outcome, record.error]).toEqual(['COMMITTED', undefined]);
  expect(existsSync(join(directory, 'agent/answer'))).toBe(false);
});

test('prints the last output of an agent that does not start, and its session can be found', async () => {
  files({ 'agent/server.mjs': 'throw new Error("no model is configured");' });

  const record = await rehearse(copy.directory);

  expect(record.outcome).toBe('Workbench.ContainerError');
  expect(record.session?.id).toMatch(new RegExp(`^${record.id}-[0-9a-f]+$`));
  let told = '';
  const step = record.steps.find(({ error }) => error !== undefined)!;
  new Story(new Terminal({ write: (text: string) => told += text } as unknown as typeof process.stdout), new ThisMachine()).ends(step);
  expect(told).toMatch(/agent: .*Error: no model is configured\n[^]*Workbench\.ContainerError/);
});
