import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { AGENT_ERRORS, AgentDefinition, REPORT_PREFIX } from '../../src/agent/constants';
import { RUNNER_LIMITS } from '../../src/agent/runner/limits';
import { turn, TurnRequest } from '../../src/agent/runner/turn';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'turn-'));
  mkdirSync(join(root, 'mount', 'repo'), { recursive: true });
  mkdirSync(join(root, 'bin'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs a turn in this process, with programs that the test has written. */
async function run(definition: AgentDefinition, { signal, ...request }: Partial<TurnRequest> & { signal?: AbortSignal } = {}) {
  const [progress, errors]: [string[], string[]] = [[], []];
  const output = { progress: (text: string) => void progress.push(text), errors: (text: string) => void errors.push(text) };
  const report = await turn(definition, {
    prompt: 'Mend it',
    directory: join(root, 'mount', 'repo'),
    temporary: join(root),
    environment: { PATH: `${join(root, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin` },
    ...request,
  }, output, signal);
  return { report, progress, errors };
}

const custom = (command: string): AgentDefinition => ({ program: 'custom', command });

/** Writes a program in JavaScript, in place of one of the real ones. */
function program(name: string, code: string) {
  writeFileSync(join(root, 'bin', name), `#!${process.execPath}\n${code}`);
  chmodSync(join(root, 'bin', name), 0o755);
}

const RESULT = { type: 'result', is_error: false, session_id: 'c-1', result: 'Done.', modelUsage: { m: { inputTokens: 1, outputTokens: 2 } } };

describe('a command of the user', () => {
  test('reads the instructions and the prompt, and the end of its output is the summary', async () => {
    const { report, progress } = await run({ ...custom('cat; echo; echo "in $(basename "$PWD")"'), instructions: 'Always.' }, { instructions: 'Now.' });
    expect(report).toEqual({ name: 'custom', summary: 'Always.\n\nNow.\n\nMend it\nin repo', error: undefined, version: undefined });
    expect(progress).toContain('in repo');
  });

  test('gets its own arguments and variables', async () => {
    const definition = { ...custom('echo "$1 $GREETING"'), arguments: ['two words'], environment: { GREETING: 'hello' } };
    expect((await run(definition)).report.summary).toBe('two words hello');
  });

  test('that does not read its prompt is no failure', async () => {
    const { report } = await run(custom('exec 0<&-; echo done'), { prompt: 'x'.repeat(RUNNER_LIMITS.promptBytes) });
    expect(report).toMatchObject({ summary: 'done', error: undefined });
  });

  test('that prints a report is not believed', async () => {
    const { report, progress, errors } = await run(custom(`echo '${REPORT_PREFIX}{"name":"fake"}'; echo '${REPORT_PREFIX}{}' >&2`));
    expect([...progress, ...errors].join('\n')).not.toContain(REPORT_PREFIX.trim());
    expect(report.name).toBe('custom');
  });

  test('that fails has the end of its standard error in the message', async () => {
    const { report, errors } = await run(custom('echo "no such option" >&2; exit 64'));
    expect(report.error).toMatchObject({ name: AGENT_ERRORS.FAILED, message: expect.stringContaining('exit code 64. no such option') });
    expect(errors).toEqual(['no such option']);
  });

  test('that the system killed for its memory says so', async () => {
    const { report } = await run(custom('kill -KILL $$'));
    expect(report.error).toMatchObject({ name: AGENT_ERRORS.FAILED, message: expect.stringContaining('ended by SIGKILL, which the system does to programs that use too much memory') });
  });

  test('that prints a line of 100 MB is read to its end', async () => {
    const { report, progress } = await run(custom('head -c 100000000 /dev/zero | tr "\\0" x; echo; echo done'));
    expect(report.summary!.endsWith('x\ndone')).toBe(true);
    expect(progress.map(({ length }) => length)).toEqual([RUNNER_LIMITS.progress, 4]);
  });

  test('passes on only so much of its standard error', async () => {
    const { errors } = await run(custom('yes "a line of a warning that is repeated" | head -n 30000 >&2'));
    expect(errors.join('\n').length).toBeLessThan(RUNNER_LIMITS.errorBytes + 100);
    expect(errors.at(-1)).toBe('(more of the standard error is left out)');
  });

  test('leaves no process behind, whatever group it is in', async () => {
    const { report } = await run(custom('setsid sleep 986 & echo $!; nohup sleep 986 > /dev/null 2>&1 & echo $!'));
    for (const id of report.summary!.split('\n').map(Number)) expect(isAlive(id)).toBe(false);
  });

  test('that ignores SIGTERM is killed when its turn is ended', async () => {
    const stop = new AbortController();
    const definition = custom('trap "" TERM; echo $$ > pid; echo begun; while :; do sleep 0.05; done');
    const output = { progress: (text: string) => void (text === 'begun' && stop.abort()), errors: () => {} };
    const report = await turn(definition, { prompt: 'x', directory: root, temporary: root, environment: { PATH: '/usr/bin:/bin' } }, output, stop.signal);
    expect(report.error!.message).toContain('the turn was ended from outside');
    expect(isAlive(Number(readFileSync(join(root, 'pid'), 'utf8')))).toBe(false);
  });

  test('is not run if its turn is over before', async () => {
    const { report } = await run(custom('echo > began; sleep 985'), { signal: AbortSignal.abort() });
    expect(report.error!.message).toContain('the turn was ended from outside');
  });
});

test('fails for a program that is not there, and says what to change', async () => {
  const { report } = await run({ program: 'claude-code' }, { environment: { PATH: join(root, 'bin') } });
  expect(report.error).toMatchObject({ name: AGENT_ERRORS.FAILED, message: expect.stringContaining('"claude" or the directory of the turn is not there') });
});

test('fails for a definition that lacks something, without a process', async () => {
  const { report } = await run({ program: 'claude-code', provider: 'bedrock' });
  expect(report.error!.message).toContain('AWS_REGION is not set');
});

test('a program that prints no result is judged by its exit code', async () => {
  program('claude', 'console.log("no json"); console.log("{broken"); console.error("Unable to connect"); process.exit(1)');
  expect((await run({ program: 'claude-code' })).report.error!.name).toBe(AGENT_ERRORS.UNAVAILABLE);
});

test('a result in a line that is too long is not missed: the turn is what is known of it', async () => {
  program('claude', `console.log(JSON.stringify({ type: 'result', result: 'x'.repeat(${RUNNER_LIMITS.lineBytes}) }))`);
  expect((await run({ program: 'claude-code' })).report).toMatchObject({ error: undefined, turns: 0 });
});

describe('Claude Code on Bedrock', () => {
  test('has the region, and all its models are ones that the role may use', async () => {
    program('claude', 'console.error(JSON.stringify([process.argv.slice(2), process.env])); process.exit(0)');
    const definition: AgentDefinition = { program: 'claude-code', provider: 'bedrock', model: 'eu.large', smallModel: 'eu.small', maxTurns: 7, arguments: ['--effort', 'low'] };
    const { errors } = await run(definition, { instructions: 'Be brief.', environment: { PATH: join(root, 'bin'), AWS_DEFAULT_REGION: 'eu-west-1' } });
    const [argv, environment] = JSON.parse(errors[0]) as [string[], { readonly [name: string]: string }];
    expect(argv.join(' ')).toContain('--dangerously-skip-permissions --model eu.large --max-turns 7 --append-system-prompt Be brief. --effort low');
    expect(argv).not.toContain('Mend it');
    expect(environment).toMatchObject({
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_REGION: 'eu-west-1',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'eu.small',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'eu.large',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'eu.large',
      ANTHROPIC_DEFAULT_FABLE_MODEL: 'eu.large',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
    });
  });
});

describe('a conversation', () => {
  // Prints whether it continues one, and keeps how often it was asked.
  const COUNTING = `
    const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('fs');
    const folder = process.env.CLAUDE_CONFIG_DIR + '/projects';
    const resumed = process.argv.includes('--resume');
    mkdirSync(folder, { recursive: true });
    const file = folder + '/count';
    const count = resumed && existsSync(file) ? Number(readFileSync(file, 'utf8')) + 1 : 1;
    writeFileSync(file, String(count));
    console.log(JSON.stringify({ ...${JSON.stringify(RESULT)}, result: (resumed ? 'continued ' : 'new ') + count }));
  `;
  const ask = async (request: Partial<TurnRequest> = {}) => {
    const { report, errors } = await run({ program: 'claude-code' }, { taskId: 'task-1', ...request });
    return { summary: report.summary, errors };
  };
  const copies = () => join(root, 'mount', '.agent', 'claude-code');
  const loseEphemeral = () => {
    for (const name of readdirSync(root).filter((one) => one.startsWith('workbench-'))) rmSync(join(root, name), { recursive: true });
  };
  const pointer = () => join(copies(), readdirSync(copies())[0], 'current.json');

  beforeEach(() => program('claude', COUNTING));

  test('continues in the same task only', async () => {
    expect((await ask()).summary).toBe('new 1');
    expect((await ask()).summary).toBe('continued 2');
    expect((await ask({ taskId: 'task-2' })).summary).toBe('new 1');
    expect((await ask()).summary).toBe('continued 3');
    expect((await ask({ taskId: undefined })).summary).toBe('new 1');
    expect((await ask({ taskId: undefined })).summary).toBe('new 1');
  });

  test('is restored from the mount, of which one copy is kept', async () => {
    await ask();
    await ask();
    loseEphemeral();
    expect((await ask()).summary).toBe('continued 3');
    expect(readdirSync(dirname(pointer()))).toHaveLength(2);
    expect(readdirSync(join(root)).filter((name) => name.startsWith('workbench-output'))).toEqual([]);
  });

  test.each<[string, (file: string) => void]>([
    ['a pointer that is no JSON', (file) => writeFileSync(file, '{')],
    ['a pointer that names another directory', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"generation":"[^"]*"/, '"generation":"../../x"'))],
    ['a copy that was changed', (file) => writeFileSync(join(dirname(file), generation(file), 'projects', 'count'), '41')],
    ['a copy that is gone', (file) => rmSync(join(dirname(file), generation(file)), { recursive: true })],
    ['nothing at all', (file) => rmSync(dirname(file), { recursive: true })],
  ])('begins anew with %s', async (_, damage) => {
    await ask();
    damage(pointer());
    loseEphemeral();
    expect((await ask()).summary).toBe('new 1');
    expect((await ask()).summary).toBe('continued 2');
  });

  test('is not continued by another program of the same name', async () => {
    await run({ program: 'claude-code', name: 'fixer' }, { taskId: 'task-1' });
    const { report } = await run({ program: 'custom', name: 'fixer', command: 'ls "$WORKBENCH_STATE"' }, { taskId: 'task-1' });
    expect(report.summary).toBe('');
  });

  test('a copy that was interrupted does not count', async () => {
    await ask();
    const folder = dirname(pointer());
    mkdirSync(join(folder, 'abcdef'));
    writeFileSync(`${pointer()}.new`, '{');
    loseEphemeral();
    expect((await ask()).summary).toBe('continued 2');
    expect(existsSync(join(folder, 'abcdef'))).toBe(false);
  });

  test('that is full, lost or cannot be read gives way to a new one, once', async () => {
    await ask();
    for (const result of [
      { errors: ['No conversation found with session ID: c-1'] },
      { terminal_reason: 'prompt_too_long', result: 'Prompt is too long' },
      { result: 'Unexpected end of JSON input' },
    ]) {
      program('claude', `console.log(JSON.stringify(process.argv.includes('--resume')
        ? { ...${JSON.stringify({ ...RESULT, is_error: true, ...result })} } : { ...${JSON.stringify(RESULT)}, result: 'new' }))`);
      const { summary, errors } = await ask();
      expect({ summary, errors }).toEqual({ summary: 'new', errors: ['the conversation of the earlier turn cannot be continued, and a new one begins'] });
    }
  });

  test('works without a mount that can be written', async () => {
    mkdirSync(join(root, 'mount', '.agent'));
    writeFileSync(join(root, 'mount', '.agent', 'claude-code'), 'in the way');
    expect((await ask()).summary).toBe('new 1');
    expect((await ask()).summary).toBe('continued 2');
  });

  test('that cannot be kept at all is no failure of the turn', async () => {
    const made = join(root, `workbench-agent-${process.getuid!()}`);
    program('claude', `require('fs').rmSync('${made}', { recursive: true }); require('fs').writeFileSync('${made}', ''); console.log('${JSON.stringify(RESULT)}')`);
    const { summary, errors } = await ask();
    expect(summary).toBe('Done.');
    expect(errors.at(-1)).toContain('the conversation is not kept: ');
  });

  const generation = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { readonly generation: string }).generation;
});

/** Determines whether a process runs, and is not only waiting for its parent to notice its end. */
function isAlive(id: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${id}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
