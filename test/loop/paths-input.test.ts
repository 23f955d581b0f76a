import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { Gate, SessionPolicy, Verification } from '../../src';
import { verificationSession } from '../../src/loop/steps/sessions';
import { IN_PROCESS, LoopFixture, useLoops } from '../support/loop-fixture';

process.env[IN_PROCESS] = '1'; // coverage sees it
const start = useLoops();
/** A valid session id that no execution of the loop has created. */
const SESSION = 'a-session-of-more-than-thirty-three-characters';

describe('bad input', () => {
  let loop: LoopFixture;
  beforeAll(async () => {
    loop = await LoopFixture.start();
  });
  afterAll(() => loop.close());

  test.each<[string, object, string]>([
    ['without a prompt', { prompt: undefined }, '"prompt"'],
    ['with an empty prompt', { prompt: ' \n' }, '"prompt"'],
    ['with a prompt that is not text', { prompt: ['a'] }, '"prompt"'],
    ['with a prompt that contains NUL', { prompt: 'a\0b' }, '"prompt"'],
    ['with a prompt that is too long', { prompt: 'x'.repeat(221_183) }, '"prompt"'],
    ['with a prompt that is too long as JSON', { prompt: '\n'.repeat(120_000) + 'x' }, '"prompt"'],
    ['without a task', { taskId: undefined }, '"taskId"'],
    ['with an empty task', { taskId: '' }, '"taskId"'],
    ['with a task of 65 characters', { taskId: 'x'.repeat(65) }, '"taskId"'],
    ['with a task that contains a slash', { taskId: 'a/b' }, '"taskId"'],
    ['with a task that contains a line ending', { taskId: 'a\n' }, '"taskId"'],
    ['with an unknown field', { promt: 'x' }, '"promt"'],
    ['with a repository that is not an object', { repository: 'https://example.com' }, '"repository"'],
    ['with an unknown field of the repository', { repository: { uri: 'https://example.com' } }, '"repository"'],
    ['with a URL that is an option', { repository: { url: '--upload-pack=touch /tmp/x' } }, '"repository.url"'],
    ['with a URL that runs a program', { repository: { url: 'ext::sh -c touch% /tmp/x' } }, '"repository.url"'],
    ['with a URL that contains a password', { repository: { url: 'https://a:b@example.com/' } }, '"repository.url"'],
    ['with a URL that contains a token', { repository: { url: `https://ghp_${'x'.repeat(36)}@example.com/` } }, '"repository.url"'],
    ['with a URL that contains a token in its path', { repository: { url: `https://git.example.com/ghp_${'x'.repeat(36)}/a.git` } }, '"repository.url" must be'],
    ['with a URL that has a fragment', { repository: { url: 'https://git.example.com/a#b' } }, '"repository.url" must be'],
    ['with a URL that has a query', { repository: { url: 'https://git.example.com/a?b' } }, '"repository.url" must be'],
    ['with a repository that the loop does not allow', { repository: { url: 'https://git.example.com/a.git' } }, '"repository.url" must be a repository that the loop allows: its own, and no other'],
    ['with a ref that is an option', { repository: { ref: '-x' } }, '"repository.ref"'],
    ['with a ref that is a token', { repository: { ref: `ghp_${'x'.repeat(36)}` } }, '"repository.ref"'],
    ['with a ref that git refuses', { repository: { ref: 'a..b' } }, '"repository.ref"'],
    ['with a ref that is a refspec', { repository: { ref: 'a:refs/heads/b' } }, '"repository.ref"'],
    ['with a session that is not an object', { session: SESSION }, '"session"'],
    ['with a session without an id', { session: {} }, '"session.id"'],
    ['with a session id of 32 characters', { session: { id: 'x'.repeat(32) } }, '"session.id"'],
    ['with a session id of 101 characters', { session: { id: 'x'.repeat(101) } }, '"session.id"'],
    ['with a session id of other characters', { session: { id: `${SESSION}/..` } }, '"session.id"'],
    ['with an invalid endpoint', { session: { id: SESSION, endpointName: 'a-b' } }, '"session.endpointName"'],
    ['with an update that is not a boolean', { session: { id: SESSION, update: 'yes' } }, '"session.update" must be true or false'],
    ['with an onTop that is not a boolean', { session: { id: SESSION, onTop: 1 } }, '"session.onTop" must be true or false'],
    ['with an unknown field of the session', { session: { id: SESSION, qualifier: 'x' } }, '"session"'],
  ])('fails a run %s, and starts nothing', async (_, input, field) => {
    const { status, error, cause } = await loop.run(input);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'CodingLoop.BadInput' });
    const { taskId } = { taskId: 'task-1', ...input } as { taskId?: unknown };
    expect(JSON.parse(cause!)).toEqual({
      outcome: 'CodingLoop.BadInput',
      taskId: taskId ?? '',
      rounds: 0,
      gates: [],
      verified: false,
      session: { id: expect.any(String), endpointName: 'DEFAULT', stopped: false },
      error: { name: 'CodingLoop.BadInput', message: expect.stringContaining(field) },
      schemaVersion: '1.0',
    });
    expect(loop.server.calls.all).toHaveLength(0);
    expect(loop.entered).toEqual(['Prepare the run', 'Say why it is refused', 'Refused, nothing was started']);
  });

  test('reports a large number of wrong fields in a complete record', async () => {
    const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field-${index}`, '"\\"']));
    const { error, cause } = await loop.run(fields);
    expect(error).toBe('CodingLoop.BadInput');
    expect(JSON.parse(cause!)).toMatchObject({ outcome: error, error: { message: expect.stringContaining('"field-0" is not a field') } });
  });

  test.each([['text'], [[]], [1], [true], [null], [false], [0], ['']])('fails a run whose input is %j', async (input) => {
    const { status, error, cause } = await loop.deployment.run(undefined, input, { retryDelay: 0 });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'CodingLoop.BadInput' });
    expect(JSON.parse(cause!)).toMatchObject({ outcome: error, taskId: '', error: { message: expect.stringContaining('must be an object') } });
    expect(loop.server.calls.all).toHaveLength(0);
  });

  test('names all errors', async () => {
    const { cause } = await loop.run({ prompt: '', taskId: '/', more: 1 });
    for (const field of ['"prompt"', '"taskId"', '"more"']) expect(JSON.parse(cause!).error.message).toContain(field);
  });
});

test('a prompt of the maximum length works in a whole run, with a repair and the most awkward output', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt; for i in {1..99}; do echo > "$(printf "%0200d" $i)"; done' : 'echo right > value.txt',
    loop: { gates: [Gate.command('test', 'head -c 50000 /dev/urandom; ./test.sh || { rm 0*; exit 1; }')] },
  });
  const { record, status, error } = await loop.run({ prompt: 'x'.repeat(221_182) });
  expect({ status, error, outcome: record?.outcome }).toEqual({ status: 'SUCCEEDED', error: undefined, outcome: 'COMMITTED' });
  expect(loop.turns[1].feedback!.changedFiles!.join('').length).toBeLessThanOrEqual(4_096);
});

test('an execution that another execution started is an ordinary run', async () => {
  const loop = await start();
  const { record } = await loop.run({ AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: 'arn:aws:states:us-east-1:123456789012:execution:a:b' });
  expect(record.outcome).toBe('COMMITTED');
});

describe('an execution that Step Functions ended', () => {
  /** Returns the input that the rule's transformer makes from an event. */
  function transformed(loop: LoopFixture, detail: object): object {
    const template = Template.fromString(readFileSync(join(loop.assembly, 'Stack.template.json'), 'utf8'));
    const [rule] = Object.values(template.findResources('AWS::Events::Rule'));
    expect(rule.Properties.EventPattern.detail.status).toEqual(['ABORTED', 'TIMED_OUT', 'FAILED']);
    const { InputPathsMap, InputTemplate } = rule.Properties.Targets[0].InputTransformer;
    const [[name]] = Object.entries(InputPathsMap).filter(([, value]) => value === '$.detail');
    const parts = InputTemplate['Fn::Join'][1].map((part: unknown) => typeof part === 'string' ? part : loop.runtimeArn);
    return JSON.parse(parts.join('').replace(`<${name}>`, JSON.stringify(detail)));
  }

  /** Starts an execution, waits until its agent is working, and stops it as a person would. */
  async function aborted(loop: LoopFixture, input: object, name = 'cut-off') {
    const asked = loop.server.calls.next({ operation: 'InvokeAgentRuntime' });
    const execution = loop.deployment.startExecution(undefined, input, { name });
    const { sessionId } = await asked;
    execution.abort();
    expect((await execution.result).status).toBe('ABORTED');
    return { executionArn: execution.arn, sessionId: sessionId! };
  }

  test.each([[SessionPolicy.STOP], [SessionPolicy.LEAVE]])('has its own session stopped or left running, as the loop is configured: %s', async (sessionPolicy) => {
    const loop = await start({ agent: 'sleep 60', loop: { sessionPolicy } });
    const input = { prompt: 'x', taskId: 'task-1' };
    const { executionArn, sessionId } = await aborted(loop, input);
    const event = transformed(loop, { executionArn, status: 'ABORTED', input: JSON.stringify(input) });
    const stopped = sessionPolicy === SessionPolicy.STOP;
    expect(await loop.deployment.function().invoke(event)).toMatchObject({ result: { sessionId, status: stopped ? 'STOPPED' : 'left to its idle timeout' } });
    const stops = loop.server.calls.of('StopRuntimeSession').map((call) => call.sessionId);
    expect([...new Set(stops)]).toEqual(stopped ? [sessionId] : []);
  });

  test.each([['has it', true], ['has left it out, since it was too long', false]])('has the session of its input stopped if the event %s', async (_, told) => {
    const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt' : 'sleep 60' });
    const { record } = await loop.run();
    const input = { prompt: 'x', taskId: 'task-1', session: record.session };
    const { executionArn, sessionId } = await aborted(loop, input);
    expect(sessionId).toBe(record.session.id);
    const event = transformed(loop, { executionArn, status: 'ABORTED', input: told ? JSON.stringify(input) : null });
    expect(await loop.deployment.function().invoke(event)).toMatchObject({ result: { sessionId, status: 'STOPPED' } });
  });

  test.each([
    ['too much data for a state', 'States.DataLimitExceeded', 'The state/task \'Ask the agent\' returned a result with a size exceeding the maximum'],
    ['a last step that could not be run', 'CodingLoop.NotStopped', '{"errorMessage":"Service unavailable"}'],
  ])('has its session stopped after %s', async (_, error, cause) => {
    const loop = await start({ agent: 'sleep 60' });
    const input = { prompt: 'x', taskId: 'task-1' };
    const { executionArn, sessionId } = await aborted(loop, input);
    const event = transformed(loop, { executionArn, status: 'FAILED', input: JSON.stringify(input), error, cause });
    // More often than a state would retry: nothing asks again.
    loop.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'conflict', times: 10 });
    expect(await loop.deployment.function().invoke(event)).toMatchObject({ result: { sessionId, status: 'STOPPED' } });
  });

  test('has the session of its verification stopped too', async () => {
    const loop = await start({ loop: { verification: Verification.inFreshSession(), gates: [Gate.command('test', '[[ $PWD == /mnt/* ]] || sleep 60')] } });
    const there = verificationSession(loop.executionOf('cut-off'), undefined, 1).id;
    const asked = loop.server.calls.next({ operation: 'InvokeAgentRuntimeCommand', sessionId: there });
    const execution = loop.deployment.startExecution(undefined, { prompt: 'x', taskId: 'task-1' }, { name: 'cut-off' });
    await asked;
    execution.abort();
    await execution.result;
    const event = transformed(loop, { executionArn: execution.arn, status: 'ABORTED', input: null });
    expect(await loop.deployment.function().invoke(event)).toMatchObject({ result: { status: 'STOPPED' } });
    const stopped = loop.server.calls.of('StopRuntimeSession').map((call) => call.sessionId);
    expect(stopped).toEqual(expect.arrayContaining([there, loop.sessionOf('cut-off').id]));
  });

  test('is ignored if it ended by itself', async () => {
    const loop = await start({ agent: 'echo wrong-a > value.txt', loop: { maxRepairs: 0 } });
    const ends = [
      await loop.run({}, { name: 'red' }),
      await loop.run({ prompt: '' }, { name: 'refused' }),
      { error: 'CodingLoop.Red', cause: `{"outcome":"CodingLoop.Red","gates":[${'x'.repeat(32_000)}`.slice(0, 32_000) },
    ];
    expect(ends.map(({ error }) => error)).toEqual(['CodingLoop.Red', 'CodingLoop.BadInput', 'CodingLoop.Red']);
    const calls = loop.server.calls.all.length;
    for (const { error, cause } of ends) {
      const detail = { executionArn: 'arn:aws:states:us-east-1:123456789012:execution:Loop:run', status: 'FAILED', input: '{}', error, cause };
      expect(await loop.deployment.function().invoke(transformed(loop, detail))).toMatchObject({ result: { status: 'ended in order' } });
    }
    expect(loop.server.calls.all).toHaveLength(calls);
  });

  test('does not stop a session in which another run is active', async () => {
    const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt' : 'sleep 60' });
    const { record } = await loop.run();
    const input = { prompt: 'x', taskId: 'task-1', session: record.session };
    const asked = loop.server.calls.next({ operation: 'InvokeAgentRuntime' });
    const execution = loop.deployment.startExecution(undefined, input, { name: 'holder' });
    await asked;
    const stops = loop.server.calls.of('StopRuntimeSession').length;
    const outcome = await loop.deployment.function().invoke(transformed(loop, { executionArn: loop.executionOf('other'), status: 'ABORTED', input: JSON.stringify(input) }));
    expect(outcome).toMatchObject({ result: { status: expect.stringMatching(/^left running: the run holder-[0-9a-f]{8} is using it$/) } });
    expect(loop.server.calls.of('StopRuntimeSession')).toHaveLength(stops);
    execution.abort();
    await execution.result;
  });

  test.each([['accessDenied'], ['throttle']] as const)('does not stop a session if it is unknown which run is active in it (%s), unless the execution created it', async (kind) => {
    const loop = await start();
    for (const operation of ['DescribeExecution', 'DescribeStateMachineForExecution', 'ListExecutions'] as const) {
      loop.server.faults.add({ operation, at: 'beforeStart', kind, times: 999 });
    }
    const executionArn = loop.executionOf('run');
    const given = await loop.deployment.function().invoke(transformed(loop, { executionArn, status: 'TIMED_OUT', input: JSON.stringify({ session: loop.sessionOf('earlier') }) }));
    expect(given).toMatchObject({ result: { status: expect.stringContaining('it is not known') } });
    const own = await loop.deployment.function().invoke(transformed(loop, { executionArn, status: 'TIMED_OUT', input: null }));
    expect(own).toMatchObject({ result: { status: 'ALREADY_STOPPED', sessionId: loop.sessionOf('run').id } });
  });

  test('neither stops nor uses a session that does not belong to the loop', async () => {
    const loop = await start();
    const event = transformed(loop, { executionArn: loop.executionOf('run'), status: 'ABORTED', input: JSON.stringify({ session: { id: SESSION } }) });
    expect(await loop.deployment.function().invoke(event)).toMatchObject({ result: { status: expect.stringContaining('refused'), sessionId: '' } });
    expect(loop.server.calls.all.filter(({ sessionId }) => sessionId !== undefined)).toEqual([]);
  });

  test('has its session stopped through the endpoint of its own definition, even if the loop has another endpoint now', async () => {
    const loop = await start({ agent: 'sleep 60' });
    const input = { prompt: 'x', taskId: 'task-1' };
    const { executionArn, sessionId } = await aborted(loop, input);
    const event = transformed(loop, { executionArn, status: 'ABORTED', input: JSON.stringify(input) }) as { config: object };
    const later = { ...event, config: { ...event.config, endpointName: 'v8' } };
    expect(await loop.deployment.function().invoke(later)).toMatchObject({ result: { sessionId, status: 'STOPPED' } });
  });

  test('is ignored if it is running again', async () => {
    const loop = await start({ agent: 'sleep 60' });
    const input = { prompt: 'x', taskId: 'task-1' };
    const asked = loop.server.calls.next({ operation: 'InvokeAgentRuntime' });
    const execution = loop.deployment.startExecution(undefined, input);
    await asked;
    const event = transformed(loop, { executionArn: execution.arn, status: 'ABORTED', input: JSON.stringify(input) });
    expect(await loop.deployment.function().invoke(event)).toMatchObject({ result: { status: 'running again' } });
    expect(loop.server.calls.of('StopRuntimeSession')).toEqual([]);
    execution.abort();
    await execution.result;
  });
});
