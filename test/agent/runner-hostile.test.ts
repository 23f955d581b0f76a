import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AGENT_ERRORS, AgentDefinition } from '../../src/agent/constants';
import { AgentRunner, RunnerOptions } from '../support/agent-runner';

let runner: AgentRunner;

afterEach(() => runner.remove());

/** Starts a runner whose `claude` is a script. */
function scripted(lines: readonly string[], options: Partial<RunnerOptions> = {}) {
  const definition: AgentDefinition = { program: 'claude-code' };
  runner = new AgentRunner({ definition, ...options });
  return program('claude', lines);
}

function program(name: string, lines: readonly string[]) {
  const programs = join(runner.root, 'programs');
  mkdirSync(programs, { recursive: true });
  writeFileSync(join(programs, name), ['#!/bin/bash', ...lines].join('\n'), { mode: 0o755 });
  return { PATH: [programs, dirname(process.execPath), '/usr/bin', '/bin'].join(':') };
}

const ANSWER = [
  '[ "$1" = --version ] && { echo 2.1.0; exit; }',
  'cat > /dev/null',
  'mkdir -p "$CLAUDE_CONFIG_DIR/projects"',
  'echo talk >> "$CLAUDE_CONFIG_DIR/projects/talk"',
  'echo "$@" > arguments',
  'echo \'{"type":"result","session_id":"abc-1","result":"Done."}\'',
];

const DONE = { name: 'claude-code', version: '2.1.0', turns: 0, summary: 'Done.' };
const mount = () => dirname(runner.clone);
const [NOBODY, NAMELESS] = [65534, 54321];
const asRoot = process.getuid!() === 0 ? test : test.skip;

describe('a conversation', () => {
  test('is continued', async () => {
    const environment = scripted(ANSWER);
    await runner.turn('One', environment);
    await runner.turn('Two', environment);
    expect(runner.read('arguments')).toContain('--resume abc-1');
  });

  asRoot('is continued for a user without a name', async () => {
    const environment = scripted(ANSWER, { user: NAMELESS });
    await runner.turn('One', environment);
    const { report } = await runner.turn('Two', environment);
    expect(report).toMatchObject({ summary: 'Done.' });
    expect(report.error).toBeUndefined();
    expect(runner.read('arguments')).toContain('--resume abc-1');
  });

  test('begins anew if a pipe is in the place of its record', async () => {
    const environment = scripted(ANSWER);
    await runner.turn('One', environment);
    runner.loseEphemeralDisk();
    const record = runner.kept().find((file) => file.endsWith('current.json'))!;
    rmSync(record);
    execFileSync('mkfifo', [record, `${record}.new`]);
    expect((await runner.turn('Two', environment)).report).toEqual(DONE);
    expect(runner.read('arguments')).not.toContain('--resume');
    expect(runner.kept()).toContain(record);
  });

  test.each(['--version', '../../../x', 'a b', ''])('begins anew if its record names %j', async (id) => {
    const environment = scripted(ANSWER);
    await runner.turn('One', environment);
    runner.loseEphemeralDisk();
    const record = runner.kept().find((file) => file.endsWith('current.json'))!;
    writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, 'utf8')), id }));
    expect((await runner.turn('Two', environment)).report).toMatchObject({ summary: 'Done.' });
    expect(runner.read('arguments')).not.toContain('--resume');
  });

  test('does not touch what a link names', async () => {
    const environment = scripted(ANSWER);
    await runner.turn('One', environment);
    const copies = dirname(runner.kept().find((file) => file.endsWith('current.json'))!);
    rmSync(copies, { recursive: true });
    const elsewhere = join(runner.root, 'elsewhere');
    mkdirSync(join(elsewhere, 'precious'), { recursive: true });
    symlinkSync(elsewhere, copies);
    expect((await runner.turn('Two', environment)).report).toMatchObject({ summary: 'Done.' });
    expect(readdirSync(elsewhere)).toEqual(['precious']);
  });

  test('is no reason to fail if nothing can be kept', async () => {
    const environment = scripted([...ANSWER, 'rm -rf "$(dirname "$CLAUDE_CONFIG_DIR")"; echo file > "$(dirname "$CLAUDE_CONFIG_DIR")"']);
    const { report, stderr } = await runner.turn('One', environment);
    expect(report).toEqual(DONE);
    expect(stderr).toContain('the conversation is not kept');
  });

  asRoot('is removed with directories that their owner cannot write', async () => {
    const environment = scripted([...ANSWER, 'mkdir -p "$CLAUDE_CONFIG_DIR/cache/deep"; echo > "$CLAUDE_CONFIG_DIR/cache/deep/file"; chmod -R a-w "$CLAUDE_CONFIG_DIR/cache"'], { user: NOBODY });
    await runner.turn('One', environment);
    rmSync(join(mount(), '.agent'), { recursive: true });
    writeFileSync(join(runner.ephemeral, readdirSync(runner.ephemeral).find((name) => name.startsWith('workbench-agent-'))!, 'x'), '');
    for (const file of readdirSync(runner.ephemeral, { recursive: true }) as string[]) if (file.endsWith('current.json')) rmSync(join(runner.ephemeral, file));
    const { report } = await runner.turn('Two', environment);
    expect(report).toEqual(DONE);
  });

  test('is kept beside the clone when the turn works in a directory of it', async () => {
    const environment = scripted(ANSWER);
    mkdirSync(join(runner.clone, 'packages', 'shop'), { recursive: true });
    const ended = await runner.turn('One', environment, join(runner.clone, 'packages', 'shop'));
    expect(ended.report).toMatchObject({ summary: 'Done.' });
    expect(existsSync(join(runner.clone, 'packages', '.agent'))).toBe(false);
    expect(runner.kept()).not.toEqual([]);
  });
});

describe('the end of a turn', () => {
  test.each(['claude', 'codex', 'opencode'])('is a failure if %s says nothing', async (name) => {
    scripted([]);
    runner.define({ program: name === 'claude' ? 'claude-code' : name as 'codex' });
    const { report, exitCode } = await runner.turn('One', program(name, ['cat > /dev/null', 'echo "Please log in: not logged in" >&2']));
    expect({ report, exitCode }).toMatchObject({ exitCode: 1, report: { error: { name: AGENT_ERRORS.NOT_LOGGED_IN, message: expect.stringContaining('without a result') } } });
  });

  test('ends the program if its output cannot be read any more', async () => {
    scripted([]);
    runner.define({ program: 'codex' });
    const { report } = await runner.turn('One', program('codex', [
      'cat > /dev/null', 'mkdir "$CODEX_HOME/total.json"', 'echo $$ > pid', 'echo \'{"type":"thread.started","thread_id":"t"}\'',
      'echo \'{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}\'', 'sleep 987',
    ]));
    expect(report).toMatchObject({ error: { name: AGENT_ERRORS.FAILED } });
    expect(existsSync(`/proc/${runner.read('pid').trim()}/cwd`)).toBe(false);
  });

  test('names a provider that cannot be reached, and no refusal', async () => {
    scripted([]);
    runner.define({ program: 'codex' });
    const { report } = await runner.turn('One', program('codex', [
      'cat > /dev/null', 'echo \'{"type":"turn.failed","error":{"message":"error sending request: Connection refused (os error 111)"}}\'', 'exit 1',
    ]));
    expect(report).toMatchObject({ error: { name: AGENT_ERRORS.UNAVAILABLE } });
  });
});


asRoot('the home is one that a user without a name can write, and git keeps its configuration', async () => {
  const environment = scripted([...ANSWER, 'echo x > "$HOME/file" && echo "$HOME $GIT_CONFIG_GLOBAL" > home'], { user: NAMELESS });
  const { report } = await runner.turn('One', { ...environment, HOME: '/' });
  expect(report).toEqual(DONE);
  expect(runner.read('home')).toContain(runner.ephemeral);
  expect(runner.read('home')).toContain(' /.gitconfig');
});

test('a home that can be written stays', async () => {
  const environment = scripted([...ANSWER, 'echo "$HOME" > home']);
  await runner.turn('One', environment);
  expect(runner.read('home').trim()).toBe(join(runner.root, 'home'));
});

test('the region of the definition is that of the model', async () => {
  scripted([]);
  runner.define({ program: 'codex', provider: 'bedrock', model: 'm', environment: { AWS_REGION: 'eu-west-1' } });
  const environment = program('codex', ['[ "$1" = --version ] && exit', 'cat > /dev/null', 'echo "$AWS_REGION $*" > arguments', 'echo \'{"type":"thread.started","thread_id":"t"}\'']);
  for (const inherited of [environment, { ...environment, AWS_REGION: 'us-east-1' }]) {
    const { report } = await runner.turn('One', inherited);
    expect(report.error).toBeUndefined();
    expect(runner.read('arguments')).toMatch(/^eu-west-1 .*aws\.region="eu-west-1"/);
  }
});
