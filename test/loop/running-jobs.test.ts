import { createHash } from 'node:crypto';
import { Job, jobId } from '../../src/jobs/job';
import { performStep } from '../../src/loop/steps/perform-step';
import { LoopState, RunIdentity } from '../../src/loop/steps/state';
import { StepTools } from '../../src/loop/steps/step';
import { reportLine } from '../support/reporting-turn';

const RUN: RunIdentity = {
  id: 'run',
  key: 'k'.repeat(32),
  taskId: 'task',
  session: { id: 's'.repeat(33) },
  mount: '/mnt/workspace',
  clone: '/mnt/workspace/repo',
  repository: { url: 'https://example.com/app.git' },
  branch: 'workbench/task',
  startedAt: 0,
  deadline: 5_000,
};
const LOOP: LoopState = { next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: '', gates: [] };
const GATE = { operation: 'loop:gate', gate: { name: 'test', command: 'test', timeoutSeconds: 4_000 }, maxRepairs: 1 };
const BOOTSTRAP = { operation: 'loop:bootstrap', commands: ['npm ci'], timeoutSeconds: 4_000 };

test.each([['gate test', GATE], ['bootstrap', BOOTSTRAP]])('%s that outlives the function keeps the timeout that it was started with, and the driver\'s time for it', async (name, step) => {
  const asked: Job[] = [];
  let seconds = 1_500;
  const tools = {
    clock: { now: () => seconds * 1_000, sleep: () => Promise.resolve() },
    measure: () => undefined,
    runJob: (request: Job) => {
      asked.push(request);
      const job = jobId(request.run, request.round!, request.name);
      return Promise.resolve({ status: 'RUNNING', exitCode: null, job, timeoutSeconds: request.timeoutSeconds, overtimeAt: 5_045_000 });
    },
  } as unknown as StepTools;
  const request = { ...step, runtimeArn: 'arn', execution: 'execution', config: { name: 'loop', author: { name: 'a', email: 'e' } } };
  const call = (loop: LoopState) => performStep({ ...request, state: { prompt: '', taskId: 'task', run: RUN, loop } } as never, tools) as Promise<LoopState>;

  const first = await call(LOOP);
  seconds = 2_400;
  await call(first);
  await call({ ...first, losses: 1 });

  const previous = { job: jobId('run', 0, name), timeoutSeconds: 3_500, overtimeAt: 5_045_000 };
  expect(first).toEqual({ ...LOOP, next: 'RUNNING', previous, meter: expect.objectContaining({ at: 1_500_000, transitions: 2 }) });
  expect(asked.map(({ timeoutSeconds, previous: before }) => [timeoutSeconds, before])).toEqual([
    [3_500, undefined],
    [3_500, previous],
    // A job with another name has its own time.
    [2_600, undefined],
  ]);
});

test('an agent\'s turn that outlives the function is counted when it ends, and once', async () => {
  const report = { name: 'claude-code', turns: 2, costUsd: 0.1 };
  const known = { job: jobId('run', 0, 'turn', RUN.key), exitCode: null, logPath: '/log', seconds: 1 };
  const results = [
    { ...known, status: 'RUNNING', tail: reportLine({ name: 'too early', turns: 100 }), timeoutSeconds: 4_000, overtimeAt: 1 },
    { ...known, status: 'RUNNING', tail: reportLine(report), timeoutSeconds: 4_000, overtimeAt: 1 },
    { ...known, status: 'ENDED', verdict: 'PASSED', exitCode: 0, tail: reportLine(report) },
  ];
  const tails: unknown[] = [];
  const tools = {
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    measure: () => undefined,
    runJob: ({ name, tailBytes }: Job) => {
      if (name !== 'turn') return Promise.resolve({ status: 'ENDED', verdict: 'PASSED', exitCode: 0, tail: createHash('sha256').update('Mend it').digest('hex') });
      tails.push(tailBytes);
      return Promise.resolve(results.shift());
    },
  } as unknown as StepTools;
  const request = {
    operation: 'loop:turn',
    command: 'workbench-agent turn',
    agent: true,
    timeoutSeconds: 4_000,
    runtimeArn: 'arn',
    execution: 'execution',
    config: { name: 'loop', author: { name: 'a', email: 'e' } },
  };
  let loop: LoopState = { ...LOOP, agent: { name: 'claude-code', turns: 1 } };
  const seen: unknown[] = [];
  for (let call = 0; call < 3; call++) {
    loop = await performStep({ ...request, state: { prompt: 'Mend it', taskId: 'task', run: { ...RUN, base: 'a' }, loop } } as never, tools) as LoopState;
    seen.push([loop.next, loop.agent?.turns]);
  }
  expect(seen).toEqual([['RUNNING', 1], ['RUNNING', 1], ['GO_ON', 3]]);
  expect(loop).toEqual({ ...LOOP, agent: { name: 'claude-code', turns: 3, costUsd: 0.1 }, meter: expect.objectContaining({ turn: 0, transitions: 6 }) });
  expect(tails).toEqual([24_576, 24_576, 24_576]);
});

describe('the tree that the session saw after the last command', () => {
  const RECORDED = 'a'.repeat(40);
  /** The gate's command passes; the following result of the files does not say which files differ. */
  const seeing = (tree: string) => ({
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    measure: () => undefined,
    runJob: ({ environment }: Job) => {
      const nonce = environment?.WB_NONCE;
      const tail = nonce === undefined ? '' : `@result ${nonce}\ntree ${tree}\nchanged-count 0\nleft-count 0\n@end ${nonce} 3\n`;
      return Promise.resolve({ status: 'ENDED', verdict: 'PASSED', exitCode: 0, seconds: 1, logPath: '/log', tail });
    },
  } as unknown as StepTools);
  const step = (request: object, loop: LoopState, tree: string) => performStep({
    ...request, runtimeArn: 'arn', execution: 'execution', config: { name: 'loop', author: { name: 'a', email: 'e' }, push: true }, state: { prompt: '', taskId: 'task', run: RUN, loop },
  } as never, seeing(tree)) as Promise<LoopState>;

  test.each([[RECORDED, 'PASSED', undefined], ['b'.repeat(40), 'FAILED', ['(git does not say which)']]])('is compared with the recorded one, so that a gate passes only on that tree: %s', async (tree, verdict, changedFiles) => {
    const { gates, feedback } = await step(GATE, { ...LOOP, tree: RECORDED }, tree);
    expect([gates[0].verdict, feedback?.changedFiles]).toEqual([verdict, changedFiles]);
  });

  test('is compared again before the commit: if it differs, the gates run again', async () => {
    const passed = { ...LOOP, tree: RECORDED, gates: [{ name: 'test', verdict: 'PASSED', exitCode: 0, seconds: 1, logPath: '/log' }] } as LoopState;
    expect(await step({ operation: 'loop:commit', message: '{prompt}', gates: ['test'] }, passed, 'b'.repeat(40))).toMatchObject({ next: 'AGAIN', losses: 1 });
  });
});
