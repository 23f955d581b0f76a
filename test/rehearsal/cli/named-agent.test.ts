import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { AGENT_ERRORS } from '../../../src/agent/constants';
import { CommandLine, CommandResult, WorkingCopy } from '../../support/command-line';
import { call, fail, ModelServer, Reply, say, Turn } from '../../support/models';
import { programDirectory } from '../../support/programs';

jest.setTimeout(180_000);

/** Is on PATH: sessions see such a directory, but nothing else of the directory for temporary files. */
let bin: string;
let copy: WorkingCopy;
let model: ModelServer;
beforeAll(async () => {
  bin = mkdtempSync(join(tmpdir(), 'named-agent-'));
  cpSync(realpathSync(join(await programDirectory('claude-code'), 'claude')), join(bin, 'claude'));
});
afterAll(() => rmSync(bin, { recursive: true, force: true }));
beforeEach(async () => {
  copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]] || { echo "the value is $(cat value)"; exit 1; }\n' });
  model = await ModelServer.start({ script: () => say('Nothing to do.') });
});
afterEach(async () => {
  await model.stop();
  copy.remove();
});

async function rehearse(args: readonly string[]): Promise<CommandResult> {
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: bin,
    ANTHROPIC_API_KEY: 'sk-scripted-key',
    ANTHROPIC_BASE_URL: model.url,
    WORKBENCH_AGENT_MODEL: 'claude-sonnet-4-5',
    CLAUDE_CODE_MAX_RETRIES: '1',
  };
  const passed = Object.keys(env).filter((name) => !['PATH', 'HOME'].includes(name)).flatMap((name) => ['--env', name]);
  return new CommandLine(['rehearse', ...args, ...passed, '--state', copy.state], { env }).ended;
}

async function run(...more: string[]): Promise<CommandResult> {
  return rehearse(['--repository', copy.directory, '--agent', 'claude-code', '--gate', 'test=./test.sh', '--prompt', 'Make the value right', '--task', 'value', ...more]);
}

/** Writes `half` in the first turn, and `right` in a repair. */
function repairs({ lastUserText, toolResults }: Turn): Reply {
  const repair = lastUserText.includes('the value is half');
  if (toolResults.length > 0) return say(repair ? 'The value is right now.' : 'The value is half right.');
  return call('Bash', { command: `echo ${repair ? 'right' : 'half'} > value`, description: 'Write the value' });
}

test('a coding agent by its name repairs a change, knows what judges it, and is told in the story and the record', async () => {
  model.script = repairs;
  const { exitCode, stdout, stderr } = await run();

  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/Ask the agent \(turn 1\) [^]*agent: \[Bash\] echo half > value\n[^]*FAILED, exit code 1\n[^]*agent: The value is right now\.\n[^]*COMMITTED after 2 turns/);
  expect(stdout).toContain('agent claude-code 2.1.197: 4 model calls');
  expect(stdout).toContain('> The value is right now.');
  expect(stdout).not.toContain('workbench-agent-report');
  expect(model.turns[0].system).toContain('- test: ./test.sh');
  // The repair continues the conversation.
  expect(model.turns.map(({ messages }) => messages.filter(({ role }) => role === 'assistant').length)).toEqual([0, 1, 2, 3]);
  expect(new Set(model.credentials)).toEqual(new Set(['sk-scripted-key']));
});

test('the next run of a task in its session continues the conversation', async () => {
  model.script = repairs;
  const first = JSON.parse((await run('--json')).stdout) as RehearsalRecord;
  expect(first.output?.agent).toMatchObject({ name: 'claude-code', turns: 4, summary: 'The value is right now.' });

  model.script = () => say('It is right already.');
  const { stdout } = await rehearse(['--session', first.session!.id, '--prompt', 'Look at it again', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'NO_CHANGES', output: { agent: { summary: 'It is right already.' } } });
  const last = model.turns.at(-1)!;
  expect(last.lastUserText).toContain('Look at it again');
  expect(last.messages.filter(({ role }) => role === 'assistant').length).toBe(4);
});

test('a limit of the provider is an end of its own, before any gate', async () => {
  model.script = () => fail('rateLimit', 0);
  const { exitCode, stdout } = await run();

  expect(exitCode).toBe(3);
  expect(stdout).toContain(`${AGENT_ERRORS.RATE_LIMITED} in turn 1`);
  expect(stdout).not.toContain('Run gate');
});

test('says what to install if the program of the agent is not on this machine', async () => {
  const { exitCode, stdout } = await rehearse(['--repository', copy.directory, '--agent', 'codex', '--gate', 'test=true', '--prompt', 'x']);

  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/"codex" or the directory of the turn is not there[^]*\n {2}a rehearsal without an image uses the program of this machine: install it, or correct PATH\n/);
});

test('fails for an agent that needs an app, and for programs that are not those of this machine', async () => {
  mkdirSync(copy.state, { recursive: true });
  const strands = await run('--agent', 'strands');
  const image = await run('--image', 'debian');

  expect([strands.exitCode, strands.stderr]).toEqual([2, expect.stringContaining('--agent')]);
  expect([image.exitCode, image.stderr]).toEqual([2, expect.stringContaining('--agent claude-code uses the program of this machine: leave out --sandbox container and --image')]);
});
