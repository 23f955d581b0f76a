import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]]\n' });
});
afterEach(() => copy.remove());

async function rehearse(...more: string[]) {
  const run = await commandLine('rehearse', '--repository', copy.directory, '--prompt', 'Make it right', '--state', copy.state, ...more);
  return { ...run, id: /^session {4}(\S+)$/m.exec(run.stdout)?.[1] ?? '' };
}

test('reports leftovers of every gate once, with what to do, and counts the omitted lines of the agent', async () => {
  const { exitCode, stdout } = await rehearse('--agent', 'cat >/dev/null; seq -f "line %g" 8; echo right > value',
    '--gate', 'one=mkdir -p cache && touch cache/a', '--gate', 'two=./test.sh; mkdir -p cache && touch cache/b', '--max-repairs', '0');

  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^preparing …\n/);
  expect(stdout).toContain('; no repairs allowed\n');
  expect(stdout).toMatch(/agent: … 3 more lines in "rehearse logs" …\n +agent: line 4\n/);
  expect(stdout.match(/it left files .*/g)).toEqual(['it left files that git neither tracks nor ignores, which were moved away: cache/a (reported once: add files that each run generates to .gitignore)']);
});

test('the logs of a session are the output of the agent and the gates, and that of the loop\'s own steps on request', async () => {
  const { id } = await rehearse('--agent', 'cat >/dev/null; echo I am the agent; echo right > value', '--gate', 'test=./test.sh && echo I am the gate');

  const logs = async (...more: string[]) => (await commandLine('rehearse', 'logs', id, '--state', copy.state, ...more)).stdout;
  expect(await logs()).toMatch(/^\n== turn 1: exit code 0\nI am the agent\n\n== turn 1, gate test: exit code 0\nI am the gate\n\n\(\d+ commands of the loop itself, .*--verbose" shows them\)\n$/);
  expect(await logs('--verbose')).toMatch(/^== prepare-0: exit code 0\n[^]*@result [^]*I am the agent/m);
});

test('refers nobody to an image if sessions have this machine\'s programs', async () => {
  const { exitCode, stdout } = await rehearse('--agent', 'no-such-agent --print', '--gate', 'test=./test.sh');

  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^ {2}a rehearsal without an image looks for programs on this machine's PATH, as the session has it, and did not find this one$/m);
});

test('names Windows line endings as the cause of a script that is not found, and reads an input with a byte order mark', async () => {
  const input = join(copy.directory, 'input.json');
  writeFileSync(input, '\uFEFF{ "prompt": "x" }\r\n');
  const script = "printf '#!/bin/bash\\r\\ntrue\\r\\n' > run.sh; chmod +x run.sh";
  const { exitCode, stdout } = await commandLine('rehearse', '--repository', copy.directory, '--agent', `cat >/dev/null; ${script}`, '--gate', 'test=./run.sh',
    '--input', input, '--state', copy.state);

  expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/CodingLoop\.Inert after 1 turn/)]);
  expect(stdout).toContain("if the script has Windows line endings, remove them, as with sed -i 's/\\r$//' FILE\n");
  expect(stdout).not.toContain('looks for programs on this machine\'s PATH');
});

test('fails at once for a file in place of a repository, and names the repository that contains it', async () => {
  const file = join(copy.directory, 'value');
  const inside = await commandLine('rehearse', '--repository', file, '--agent', 'true', '--gate', 'test=true', '--prompt', 'x', '--state', copy.state);
  expect([inside.exitCode, inside.stdout, inside.stderr]).toEqual([2, '', expect.stringContaining(`--repository ${file} cannot be cloned: it is a file, and not a bundle of git: name the repository, ${copy.directory}\n`)]);

  const bundle = join(copy.state, '..', 'project.bundle');
  copy.git('bundle', 'create', '--quiet', bundle, '--all');
  const bundled = await commandLine('rehearse', '--repository', bundle, '--agent', 'cat >/dev/null; echo right > value', '--gate', 'test=./test.sh', '--prompt', 'x', '--state', copy.state);
  expect([bundled.exitCode, bundled.stderr]).toEqual([0, '']);
});
