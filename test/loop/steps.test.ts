import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { AgentTurn, Gate } from '../../src';
import { IN_PROCESS, LoopFixture, RunRecord, useLoops } from '../support/loop-fixture';
import { loadHandler } from '../support/session-driver';

// The behaviour of a run at the limits of its time, and with an unexpected workspace or state.
process.env[IN_PROCESS] = '1';
const start = useLoops();

describe('a step that outlives its function', () => {
  /** Returns a function that calls one step with this much of the function's time left, of which the step reserves 20 seconds. */
  function steps(loop: LoopFixture) {
    const handler = loadHandler(loop.server.endpoint);
    const common = {
      runtimeArn: loop.runtimeArn, execution: loop.executionOf('run'), config: { name: 'Loop', mount: '/mnt/workspace', depth: 1, author: { name: 'a', email: 'b' }, push: true },
    };
    return async (operation: string, state: object, more: object = {}, remainingSeconds = 900) => {
      try {
        const request = { operation: `loop:${operation}`, ...common, ...more, config: { ...common.config, ...(more as { config?: object }).config }, state };
        return JSON.parse(JSON.stringify(await handler(request as never, { getRemainingTimeInMillis: () => remainingSeconds * 1_000 })));
      } catch (error) {
        return { error: (error as Error).name, message: (error as Error).message };
      }
    };
  }
  const prepared = async (loop: LoopFixture, step: ReturnType<typeof steps>) => step('prepare', { prompt: 'x', taskId: 'task-1' }, {
    config: { repository: { url: `file://${loop.remote}` }, branchPrefix: 'workbench/', timeoutSeconds: 3_600, promptBytes: 100_000 },
  });
  const free = (loop: LoopFixture) => writeFileSync(join(loop.workspace(loop.sessionOf('run')), 'free'), '');
  const starts = (loop: LoopFixture) => readFileSync(join(loop.workspace(loop.sessionOf('run')), 'starts'), 'utf8');
  const WAIT = 'until [ -e ../free ]; do sleep 0.05; done';

  test('reattaches to a long bootstrap, and does not start it again', async () => {
    const loop = await start();
    const step = steps(loop);
    const state = await prepared(loop, step);
    const more = { commands: [`echo started >> ../starts; ${WAIT}`], timeoutSeconds: 1_800 };
    const running = await step('bootstrap', state, more, 21);
    expect(running).toMatchObject({ next: 'RUNNING' });
    free(loop);
    expect(await step('bootstrap', { ...state, loop: running }, more)).toMatchObject({ next: 'GO_ON' });
    expect(starts(loop)).toBe('started\n');
  });

  test('fails a short bootstrap for the state\'s retry, which reattaches to it', async () => {
    const loop = await start();
    const step = steps(loop);
    const state = await prepared(loop, step);
    const more = { commands: [`echo started >> ../starts; ${WAIT}`], timeoutSeconds: 600 };
    expect(await step('bootstrap', state, more, 21)).toMatchObject({ error: 'Workbench.StreamCut', message: expect.stringContaining('bootstrap takes longer') });
    free(loop);
    expect(await step('bootstrap', state, more)).toMatchObject({ next: 'GO_ON' });
    expect(starts(loop)).toBe('started\n');
  });

  test('repeats the first step under another name if its result was meant for an earlier call', async () => {
    const loop = await start();
    const step = steps(loop);
    const fault = loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeEnd', kind: 'end', times: 99 });
    expect(await prepared(loop, step)).toMatchObject({ error: 'Workbench.StreamCut' });
    loop.server.faults.clear();
    expect(fault.fired).toBeGreaterThan(1);
    expect(await prepared(loop, step)).toMatchObject({ run: { session: { workspace: 'NEW' } }, loop: { base: loop.git('rev-parse', 'main').trim() } });
    expect(loop.jobs('prepare')).toHaveLength(2);
  });

  test('fails for the state\'s retry if recording the files takes too long', async () => {
    const loop = await start();
    const step = steps(loop);
    const state = await prepared(loop, step);
    expect(await step('snapshot', state, {}, 20)).toMatchObject({ error: 'Workbench.StreamCut', message: expect.stringMatching(/"(adopt|snapshot)" takes longer/) });
    expect(await step('snapshot', state)).toMatchObject({ next: 'GO_ON', unchanged: true });
  });

  test.each<[string, object, string]>([
    ['that its first step did not leave', {}, 'before its first step did'],
    ['in which no run ends', { loop: { next: 'RUNNING', round: 0, gates: [] } }, 'in an unexpected state (RUNNING)'],
    ['whose commit is missing', { loop: { next: 'GO_ON', round: 0, gates: [] } }, 'in an unexpected state (GO_ON)'],
  ])('fails a run in a state %s, with its session stopped and without claiming a commit', async (_, state, message) => {
    const loop = await start();
    const step = steps(loop);
    await prepared(loop, step);
    const all = { prompt: 'x', taskId: 'task-1', ...state };
    const { output } = await step('stop', all, { stop: true, green: false }) as { output: RunRecord };
    expect(output).toMatchObject({ outcome: 'CodingLoop.Failed', error: { message: expect.stringContaining(message) }, session: { stopped: true } });
    expect(await step('stop', all, { stop: true, green: true })).toMatchObject({ error: 'CodingLoop.CommitFailed' });
  });

  test.each([
    ['with a cause that is not JSON', 'no JSON', 'no JSON'],
    ['with a cause that is other JSON', '{"a":1}', '{"a":1}'],
    ['without a cause', undefined, ''],
  ])('reports an error %s', async (_, Cause, message) => {
    const loop = await start();
    const state = { taskId: 'task-1', error: { Error: 'Agent.Failed', Cause } };
    expect(await steps(loop)('stop', state, { stop: true, green: false })).toMatchObject({ output: { error: { name: 'Agent.Failed', message } } });
  });

  test.each<[string, object]>([
    ['a gate that did not run', { tree: 'a'.repeat(40), gates: [] }],
    ['a gate that failed', { tree: 'a'.repeat(40), gates: [{ name: 'test', verdict: 'FAILED' }] }],
    ['another gate that failed', { tree: 'a'.repeat(40), gates: [{ name: 'test', verdict: 'PASSED' }, { name: 'lint', verdict: 'LOST' }] }],
    ['no recorded tree', { gates: [{ name: 'test', verdict: 'PASSED' }] }],
  ])('commits nothing with %s', async (_, record) => {
    const loop = await start();
    const state = { prompt: 'x', taskId: 'task-1', run: { id: 'run', session: loop.sessionOf('run') }, loop: { next: 'PASSED', round: 0, ...record } };
    const request = { message: '{prompt}', gates: ['test'] };
    expect(await steps(loop)('commit', state, request)).toMatchObject({ error: 'CodingLoop.CommitFailed', message: expect.stringContaining('nothing is committed') });
    expect(loop.server.calls.all).toEqual([]);
  });

  test('fails a run if neither its input nor its loop has a repository, and starts nothing', async () => {
    const loop = await start();
    const config = { branchPrefix: '', timeoutSeconds: 60, promptBytes: 1_000 };
    expect(await steps(loop)('prepare', { prompt: 'x', taskId: 'task-1' }, { config }))
      .toMatchObject({ error: 'CodingLoop.BadInput', message: expect.stringContaining('\\"repository.url\\" must name a repository') });
    expect(loop.server.calls.all).toEqual([]);
  });

  test.each([
    ['repository.url', { url: 'https://token@example.com/a.git' }], ['repository.url', { url: 'https://example.com/a.git?token@' }], ['repository.ref', { url: 'https://example.com/a.git', ref: '--upload-pack=id' }],
  ])('fails a run if the loop\'s own "%s", unknown until deployment, is invalid, and starts nothing', async (field, repository) => {
    const loop = await start();
    const config = { repository, branchPrefix: '', timeoutSeconds: 60, promptBytes: 1_000 };
    const { error, message } = await steps(loop)('prepare', { prompt: 'x', taskId: 'task-1' }, { config }) as { error: string; message: string };
    expect({ error, message }).toEqual({ error: 'CodingLoop.BadInput', message: expect.stringContaining(`\\"${field}\\" must be`) });
    expect(message).not.toContain('token@');
    expect(loop.server.calls.all).toEqual([]);
  });

  test('names the failure without its output if both exceed the limit of a cause', async () => {
    const loop = await start();
    const gates = [{ name: 'test', verdict: 'FAILED', exitCode: 1, seconds: 1, logPath: '' }];
    const state = { taskId: 'task-1', loop: { next: 'RED', round: 0, gates, feedback: { output: 'x'.repeat(40_000) } } };
    const { failure } = await steps(loop)('stop', state, { stop: true, green: false }) as { failure: { cause: string } };
    expect(JSON.parse(failure.cause)).toMatchObject({ outcome: 'CodingLoop.Red', gates });
    expect(failure.cause.length).toBeLessThan(1_000);
  });
});

test('fails when the prompt cannot be written, and does not start the agent', async () => {
  const loop = await start({ loop: { bootstrap: ['touch ../.workbench/prompts'], turn: AgentTurn.command('touch ../started') } });
  const { error, record } = await loop.run();
  expect({ error, message: record.error!.message }).toEqual({ error: 'CodingLoop.TurnFailed', message: expect.stringContaining('cannot write the prompt to') });
  expect(loop.jobs('turn')).toEqual([]);
});

test('at the run\'s timeout the running gate is stopped, the agent is not asked again, and the session is stopped', async () => {
  const loop = await start({
    agent: (_, { taskId }) => `echo ${taskId === 'task-1' ? 'right' : 'wrong-a'} > value.txt`,
    loop: {
      timeout: Duration.seconds(60),
      turn: AgentTurn.invoke({ timeout: Duration.seconds(60) }),
      gates: [Gate.command('test', './test.sh || sleep 600', { timeout: Duration.seconds(60) })],
    },
  });
  const began = Date.now();
  expect((await loop.run()).record.outcome).toBe('COMMITTED');
  // Enough time for the second run to reach its gate, however busy the machine is.
  const seconds = 3 + Math.ceil(3 * (Date.now() - began) / 1_000);
  const other = loop.another();
  const definition = JSON.stringify(loop.deployment.definition(loop.deployment.stack.find('AWS::StepFunctions::StateMachine')));
  jest.spyOn(other.deployment, 'definition').mockReturnValue(JSON.parse(definition.replace('"timeoutSeconds":60,"promptBytes"', `"timeoutSeconds":${seconds},"promptBytes"`)));
  const { error, record } = await other.run({ taskId: 'task-2' });
  await other.close();
  expect({ error, message: record.error!.message }).toEqual({ error: 'CodingLoop.TimedOut', message: `the run took longer than ${seconds} seconds` });
  expect(record.session.stopped).toBe(true);
  expect(other.turns).toHaveLength(1);
  expect(other.entered.slice(-3)).toEqual(['Run gate: test', 'Stop the session after a failure', 'Not committed']);
  const [gate] = readdirSync(join(loop.workspace(record.session), '.workbench/jobs')).filter((job) => job.startsWith('gate-test'));
  expect(readFileSync(join(loop.workspace(record.session), '.workbench/jobs', gate, 'exit'), 'utf8')).toMatch(/^TIMED_OUT /);
  expect(loop.branches()).not.toContain('workbench/task-2');
});
