import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { ThisMachine } from '../../../rehearsal/cli/this-machine';
import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { Story } from '../../../src/journal/story';
import { Terminal } from '../../../src/journal/terminal';
import { commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

/** The first answer is incomplete; after the gate has failed, the agent completes it. */
const AGENT = 'prompt=$(cat); if [[ $prompt == *"FAIL: no mark"* ]]; then echo "Hello, world!" > greeting; else echo "Hello, world" > greeting; fi; echo "wrote it"';
const FILES = {
  'greeting': 'Hi\n',
  'test.sh': '#!/bin/bash\n[[ $(cat greeting) == *! ]] || { echo "FAIL: no mark in $(cat greeting)"; exit 1; }\n',
};

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy(FILES);
});
afterEach(() => copy.remove());

/** Settles when a run is in progress. */
async function begun(state: string): Promise<void> {
  mkdirSync(state, { recursive: true });
  for await (const { filename } of watch(state)) if (filename === 'current.json') return;
}

function rehearse(...more: string[]) {
  return commandLine('rehearse', '--repository', copy.directory, '--gate', 'test=./test.sh', '--prompt', 'Greet the world', '--state', copy.state, ...more);
}

test('tells a run with a repair as a story, with a commit that can be fetched', async () => {
  const { exitCode, stdout, stderr } = await rehearse('--agent', AGENT, '--task', 'greet');

  expect([exitCode, stderr]).toEqual([0, '']);
  const outline = ['Prepare the run', '(turn 1)', 'agent: wrote it', 'Record what changed', 'FAILED, exit code 1', 'FAIL: no mark in Hello, world',
    'repair 1 of 3', '(turn 2)', 'PASSED', 'Commit and push', 'Stop the session', 'COMMITTED after 2 turns', 'Greet the world', 'greeting | 2 +-', 'report'];
  let position = 0;
  for (const part of outline) {
    const found = stdout.indexOf(part, position);
    expect([part, found]).toEqual([part, expect.any(Number)]);
    expect(found).toBeGreaterThanOrEqual(position);
    position = found;
  }
  const [, take, branch] = /fetch {6}git (-C .*:(\S+))\n/.exec(stdout)!;
  copy.git(...take.split(' '));
  expect(copy.git('show', `${branch}:greeting`)).toBe('Hello, world!\n');

  // An existing branch, such as that of an earlier run, is left alone.
  const again = await rehearse('--agent', AGENT, '--task', 'greet');
  expect(again.stdout).toMatch(/fetch {6}git -C \S+ fetch \S+ workbench\/greet:workbench\/greet-2\n/);
});

test('a session that answers without output ends the run at once, and the story tells the retries', async () => {
  // Acts as a bash that somebody put first on PATH, and that does nothing: each bash that starts reads this file.
  process.env.BASH_ENV = '/mnt/workspace/profile';
  const { exitCode, stdout } = await rehearse('--agent', 'cat >/dev/null; echo "exit 0" > /mnt/workspace/profile', '--env', 'BASH_ENV')
    .finally(() => delete process.env.BASH_ENV);

  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/Record what changed: retried after Workbench\.StreamCut: .*without the state.*\n +… 1 more time in the same words\n/);
  expect(stdout).toContain('Workbench.SessionBroken');
  expect(stdout).not.toContain('retried by Step Functions');
});

test('tells when Step Functions retries, and why', () => {
  const written: string[] = [];
  const terminal = new Terminal({ write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream);
  const story = new Story(terminal, new ThisMachine());
  const step = { state: 'Run gate: test', kind: 'gate', round: 0, begin: 0, duration: 0, retries: 1 } as const;
  story.begins({ ...step });
  story.retries({ ...step }, { by: 'Step Functions', error: { name: 'Workbench.Throttled', message: 'slow down\nand more' } });
  terminal.settle();
  expect(written.join('')).toBe(`${' '.repeat(10)}Run gate: test: retried by Step Functions after Workbench.Throttled: slow down\n`);
});

test('tells repeated retries once with their count, and again when the reason changes', () => {
  const written: string[] = [];
  const story = new Story(new Terminal({ write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream), new ThisMachine());
  const step = { state: 'Prepare the run', kind: 'prepare', round: 0, begin: 0, duration: 0, retries: 0 } as const;
  story.begins(step);
  const failures = ['port 1', 'port 2', 'port 3', 'slow down', 'port 4', 'port 5'];
  failures.forEach((message) => story.retries(step, { by: 'driver', error: { name: 'Workbench.ContainerError', message } }));
  story.ends(step);

  expect(written.join('').split('\n').map((line) => line.trim()).slice(0, 5)).toEqual([
    'Prepare the run: retried after Workbench.ContainerError: port 1',
    '… 2 more times in the same words',
    'Prepare the run: retried after Workbench.ContainerError: slow down',
    'Prepare the run: retried after Workbench.ContainerError: port 4',
    '… 1 more time in the same words',
  ]);
});

test('prints a line with the time and the limit of a long gate now and then, when the output is not a terminal', async () => {
  let written = '';
  let seen = () => {};
  const twice = new Promise<void>((resolve) => (seen = resolve));
  const write = (text: string) => (written += text).split('\n').length > 2 && seen();
  const terminal = new Terminal({ write } as unknown as NodeJS.WriteStream, 1);
  new Story(terminal, new ThisMachine()).begins({ state: 'Run gate: test', kind: 'gate', round: 0, begin: 0, duration: 0, retries: 0, limitSeconds: 90 }, () => 'what it prints');
  await twice;
  terminal.settle();

  expect(written).toMatch(/^( +0\.0 s {2}Run gate: test +0\.\d\d s …, at most 90 s\n){2}$/);
});

test('does not touch the working copy, and leaves out uncommitted changes', async () => {
  writeFileSync(join(copy.directory, 'greeting'), 'a change of my own\n');
  const before = copy.git('for-each-ref') + copy.git('status', '--porcelain');

  const { exitCode, stdout } = await rehearse('--agent', 'cat greeting >> /dev/stdout; cat >/dev/null; echo "Hello!" > greeting', '--json');

  expect(exitCode).toBe(0);
  expect((JSON.parse(stdout) as RehearsalRecord).repository.uncommittedFiles).toBe(1);
  expect((JSON.parse(stdout) as RehearsalRecord).steps.find(({ kind }) => kind === 'turn')?.log).toBe('Hi');
  expect(copy.git('for-each-ref') + copy.git('status', '--porcelain')).toBe(before);
  expect(readFileSync(join(copy.directory, 'greeting'), 'utf8')).toBe('a change of my own\n');
});

test('a run that stays red exits with 1 and commits nothing', async () => {
  const { exitCode, stdout } = await rehearse('--agent', 'cat >/dev/null; echo "$RANDOM" >> greeting', '--max-repairs', '1', '--json');

  const record = JSON.parse(stdout) as RehearsalRecord;
  expect([exitCode, record.outcome, record.commit]).toEqual([1, 'CodingLoop.Red', undefined]);
});

test('a run whose agent fails says where its whole output is', async () => {
  const { exitCode, stdout } = await rehearse('--agent', 'cat >/dev/null; echo "no model is configured"; exit 3');

  expect([exitCode, stdout]).toEqual([1, expect.stringContaining('agent: no model is configured\n')]);
  const [, id] = /^session {4}(\S+)\n +"rehearse logs" with this ID/m.exec(stdout)!;
  expect((await commandLine('rehearse', 'logs', id, '--state', copy.state)).stdout).toMatch(/^== turn 1: exit code 3\nno model is configured$/m);
});

test('a session continues from where it was left, with the same agent and gates', async () => {
  const first = JSON.parse((await rehearse('--agent', AGENT, '--task', 'greet', '--json')).stdout) as RehearsalRecord;

  const second = await commandLine('rehearse', '--session', first.session!.id, '--agent', 'cat >/dev/null; echo "And you!" >> greeting',
    '--prompt', 'Ask back', '--state', copy.state, '--json');

  const record = JSON.parse(second.stdout) as RehearsalRecord;
  expect(second.exitCode).toBe(0);
  expect(record.session!.id).toBe(first.session!.id);
  expect(record.commit!.patch).toContain('+And you!');
  expect(record.commit!.patch).not.toContain('+Hello');
  const listed = await commandLine('rehearse', 'sessions', '--state', copy.state);
  expect(listed.stdout).toContain(first.session!.id);
  const logs = await commandLine('rehearse', 'logs', first.session!.id, '--state', copy.state);
  expect(logs.stdout).toContain('FAIL: no mark in Hello, world');
  expect(logs.stdout.match(/^== run (\S+), COMMITTED$/gm)).toEqual([first, record].map(({ id }) => `== run ${id}, COMMITTED`));
  // What the second run's first step asks of the first run is no failure.
  expect(logs.stdout).not.toContain('== prepare');
});

test('a run starts from the given reference, and so does the next one in its session', async () => {
  copy.git('branch', 'old');
  writeFileSync(join(copy.directory, 'greeting'), 'Hello there!\n');
  copy.git('-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit', '--quiet', '--all', '--message', 'a greeting');
  const agent = ['--agent', 'cat >/dev/null; echo "and you!" >> greeting', '--json'];

  const first = JSON.parse((await rehearse('--ref', 'old', ...agent)).stdout) as RehearsalRecord;
  const second = JSON.parse((await commandLine('rehearse', '--session', first.session!.id, '--prompt', 'Again', '--state', copy.state, '--json')).stdout) as RehearsalRecord;
  const third = await rehearse('--ref', 'nowhere', ...agent);

  expect(first.commit?.patch).toContain(' Hi\n+and you!');
  expect(first.repository).toMatchObject({ branch: 'old', commit: copy.git('rev-parse', 'old').trim() });
  expect([second.outcome, second.repository.branch]).toEqual(['COMMITTED', 'old']);
  expect([third.exitCode, third.stderr]).toEqual([2, expect.stringMatching(/^"nowhere" is not a branch, tag or commit of .*: there is main, old\n/)]);
});

test('fails for an input that the loop would refuse, with the loop\'s message and before it creates anything', async () => {
  const { exitCode, stdout, stderr } = await rehearse('--agent', 'true', '--task', 'a task');

  expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^"taskId" must be 1 to 64 characters/)]);
  expect(existsSync(copy.state)).toBe(false);
});

test('reports uncommitted changes, and refuses a prompt that is not text', async () => {
  const input = join(copy.directory, 'input.json');
  writeFileSync(input, '{ "prompt": 7 }');

  const { exitCode, stderr } = await commandLine(
    'rehearse', '--repository', copy.directory, '--agent', 'true', '--gate', 'test=./test.sh', '--input', input, '--state', copy.state);

  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`--input ${input}: "prompt" must be a string`)]);
  expect((await rehearse('--agent', 'true')).stdout).toContain('warning: the run did not see 1 uncommitted file: input.json\n');
});

test('an interrupted run leaves no process and no lock, but its workspace', async () => {
  const running = rehearse('--agent', 'cat >/dev/null; echo begun > begun; sleep 1000', '--json');
  await Promise.race([running, begun(copy.state)]);
  process.emit('SIGINT');

  const { exitCode, stdout } = await running;

  const record = JSON.parse(stdout) as RehearsalRecord;
  expect([exitCode, record.outcome]).toEqual([130, 'INTERRUPTED']);
  expect(existsSync(join(copy.state, 'lock'))).toBe(false);
  expect(existsSync(join(copy.state, 'current.json'))).toBe(false);
  const microvms = join(copy.state, 'agentcore', 'microvms'); // if it got far enough to have one
  expect(existsSync(microvms) ? readdirSync(microvms) : []).toEqual([]);
});

test('fails for a repository with a password, in the options and in the input, without showing it', async () => {
  const url = 'https://me:s3cret@git.example.com/app.git';
  const input = join(copy.directory, 'input.json');
  writeFileSync(input, JSON.stringify({ prompt: 'x', repository: { url } }));
  const loop = ['--agent', 'true', '--gate', 'test=true', '--state', copy.state];

  for (const source of [['--repository', url, '--prompt', 'x'], ['--input', input]]) {
    const { exitCode, stdout, stderr } = await commandLine('rehearse', ...source, ...loop);
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^"repository" must be an https, .* without a password.*, not "https:\/\/…@git\.example\.com\/app\.git": credentials/)]);
  }
  expect(existsSync(copy.state)).toBe(false);
});

test.each([
  ['fails without a gate', ['--agent', 'true', '--repository', '.', '--prompt', 'x'], /--gate is missing/],
  ['fails without an agent', ['--gate', 'test=true', '--repository', '.', '--prompt', 'x'], /--agent is missing/],
  ['fails without a prompt', ['--agent', 'true', '--gate', 'test=true', '--repository', '.'], /--prompt is missing/],
  ['fails without a repository', ['--agent', 'true', '--gate', 'test=true', '--prompt', 'x'], /--repository is missing/],
  ['fails for gates in addition to those of an app', ['--app', '.', '--gate', 'test=true', '--prompt', 'x'], /--gate cannot be used with --app/],
  ['fails for a loop without an app', ['--loop', 'Fix', '--agent', 'true', '--gate', 'test=true', '--prompt', 'x'], /--loop needs --app/],
  ['fails for a gate without a name', ['--gate', 'npm test'], /--gate must be NAME=COMMAND/],
  ['fails for an unknown option', ['--gates', 'x'], /- --gates is not an option: did you mean --gate\?\n/],
  ['fails for a directory that is not a cloud assembly', ['--app', '.', '--prompt', 'x'], /is not a cloud assembly/],
  ['fails for an unknown session', ['--session', 'nobody', '--prompt', 'x'], /there is no such session/],
  ['fails for a repository that does not exist', ['--agent', 'true', '--gate', 'test=true', '--repository', '/nowhere', '--prompt', 'x'], /\/nowhere cannot be cloned: there is no such directory/],
  ['fails for two gates with one name, with the option', ['--agent', 'true', '--gate', 'a=true', '--gate', 'a=true', '--repository', '.', '--prompt', 'x'], /^--gate has "a" twice: /],
  ['fails for an empty command, with the option', ['--agent', 'true', '--gate', 'a=true', '--bootstrap', ' ', '--repository', '.', '--prompt', 'x'], /^--bootstrap has an empty command: /],
  ['fails for a gate that the loop refuses', ['--agent', 'true', '--gate', 'te/st=true', '--repository', '.', '--prompt', 'x'], /gate "te\/st"/],
  ['fails for an agent without words', ['--agent', '', '--gate', 'test=true', '--repository', '.', '--prompt', 'x'], /^--agent has an empty command: [^\n]*\n"cdk-/],
])('%s, with 2', async (_, args, message) => {
  const { exitCode, stderr } = await commandLine('rehearse', ...args, '--state', copy.state);

  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test('prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8')) as { version: string };
  expect(await commandLine('--version')).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([['logs', ['logs', 'rehearsal-']], ['stop', ['stop', 'rehearsal-']], ['--session', ['--session', 'rehearsal-', '--prompt', 'x']]])(
  'fails for a part of an id that fits several sessions, and lists them: %s', async (_, args) => {
    for (const id of ['rehearsal-1', 'rehearsal-2']) {
      mkdirSync(join(copy.state, 'runs', id), { recursive: true });
      writeFileSync(join(copy.state, 'runs', id, 'record.json'), JSON.stringify({ target: {}, record: { startedAt: id, session: { id } } }));
    }
    const { exitCode, stderr } = await commandLine('rehearse', ...args, '--state', copy.state);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('"rehearsal-" matches 2 sessions: give more of the ID\n  rehearsal-1\n  rehearsal-2\n')]);
  });

test('a message that names CloudWatch is followed by where the logs are on this machine', () => {
  let told = '';
  const story = new Story(new Terminal({ write: (text: string) => (told += text) } as unknown as NodeJS.WriteStream), new ThisMachine());
  const error = { name: 'Workbench.AgentFailed', message: 'Please check your CloudWatch logs' };
  story.ended({
    outcome: error.name, error, seconds: 1, steps: [], missingPermissions: [], warnings: [], repository: { uncommittedFiles: 0 }, session: { id: 'rehearsal-1' },
  } as unknown as RehearsalRecord, 'report.html');

  expect(told).toContain('Please check your CloudWatch logs\n  in a rehearsal, "rehearse logs rehearsal-1" shows');
});

test('the story reports an agent that pushes: a habitual push fails, and what it did push is named', async () => {
  const agent = 'cat >/dev/null; echo "Hello!" > greeting; git push origin HEAD 2>&1; git commit -qam own; git push -q "$(git config remote.origin.url)" HEAD:refs/heads/workbench/greet';

  const { exitCode, stdout } = await rehearse('--agent', agent, '--task', 'greet');

  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('do not push: the run does, once all gates have passed')]);
  expect(stdout).toMatch(/someone else moved the branch at the remote: it was not there, and is now at [0-9a-f]{12}/);
  expect(stdout).toContain('the branch already had the same files, in this commit, which the run did not make');
});
