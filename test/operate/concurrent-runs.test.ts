import { App, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, Verification } from '../../src';
import { admission } from '../../src/loop/steps/admission';
import { StepTools } from '../../src/loop/steps/step';
import { LoopFixture, RunRecord, useLoops } from '../support/loop-fixture';
import { emittedValues } from '../support/metrics';
import { IMAGE } from '../support/stacks';

const start = useLoops();
const PREPARE = 'Prepare the run';

function synth(props: Partial<CodingLoopProps>): Stack {
  const stack = new Stack(new App(), 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  new CodingLoop(stack, 'Loop', {
    runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props,
  });
  return stack;
}

/** Starts runs in their order, and follows which of them are in progress. */
class Runs {
  readonly begun: string[] = [];
  /** The largest number of runs that were in progress at the same time. */
  most = 0;
  /** The largest number of runs that had started before one and had not ended when that one began. */
  mostBefore = 0;
  private readonly active = new Set<string>();
  private readonly unended: string[] = [];

  constructor(private readonly loop: LoopFixture) {}

  start(name: string) {
    this.unended.push(name);
    const execution = this.loop.deployment.startExecution(undefined, { prompt: 'Make it right', taskId: name }, {
      name,
      retryDelay: 100,
      onEvent: (event) => {
        if (event.type !== 'StateExited' || event.state.name !== PREPARE || this.active.has(name)) return;
        this.begun.push(name);
        this.active.add(name);
        this.mostBefore = Math.max(this.mostBefore, this.unended.indexOf(name));
        this.most = Math.max(this.most, this.active.size);
      },
    });
    const ended = execution.result.then((result) => {
      this.active.delete(name);
      this.unended.splice(this.unended.indexOf(name), 1);
      return { ...result, record: (result.output ?? JSON.parse(result.cause ?? 'null')) as RunRecord };
    });
    return { abort: execution.abort, ended };
  }
}

describe('a limit of runs is refused', () => {
  test.each<[string, Partial<CodingLoopProps>, string]>([
    ['of none', { maxConcurrentRuns: 0 }, '"maxConcurrentRuns" must be a whole number of at least 1, not 0'],
    ['of a part', { maxConcurrentRuns: 1.5 }, '"maxConcurrentRuns" must be a whole number of at least 1, not 1.5'],
    ['that is missing, with a queue', { queueTimeout: Duration.minutes(5) }, '"queueTimeout" must come with "maxConcurrentRuns"'],
    ['with too short a queue', { maxConcurrentRuns: 1, queueTimeout: Duration.seconds(29) }, '"queueTimeout" must be 30 to 86400 seconds, not 29'],
    ['with too long a queue', { maxConcurrentRuns: 1, queueTimeout: Duration.days(2) }, '"queueTimeout" must be 30 to 86400 seconds, not 172800'],
  ])('%s', (_, props, message) => {
    expect(() => synth(props)).toThrow(message);
  });
});

test.each<[number, Partial<CodingLoopProps>, boolean]>([
  [1_250, {}, false], [1_251, {}, true], [2_500, { verification: Verification.none() }, false], [2_501, { verification: Verification.none() }, true],
])('%i runs, some without a verification, are compared with the quota of sessions (%#)', (maxConcurrentRuns, props, warned) => {
  const annotations = Annotations.fromStack(synth({ ...props, maxConcurrentRuns }));
  const message = Match.stringLikeRegexp('active sessions; the quota of an account may be 2500');
  expect(annotations.findWarning('/Stack/Loop', message)).toHaveLength(warned ? 1 : 0);
});

test('the time in the queue is beyond the timeout of the run', () => {
  const secondsOf = (props: Partial<CodingLoopProps>) => {
    const [{ Properties }] = Object.values(Template.fromStack(synth({ timeout: Duration.hours(5), ...props })).findResources('AWS::StepFunctions::StateMachine'));
    const timeouts = JSON.stringify(Properties.DefinitionString).matchAll(/TimeoutSeconds[\\":]+(\d+)/g);
    return Math.max(...[...timeouts].map(([, seconds]) => Number(seconds)));
  };
  const queued = { maxConcurrentRuns: 1, queueTimeout: Duration.hours(2) };
  expect(secondsOf(queued) - secondsOf({ maxConcurrentRuns: 1 })).toBe(7_200);
});

test('runs that are too many wait, none takes the place of one that started before it, and all do their work', async () => {
  const made = await start({ loop: { maxConcurrentRuns: 2, queueTimeout: Duration.days(1) } });
  const runs = new Runs(made);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const started = [];
  for (const name of names) {
    started.push(runs.start(name));
    await new Promise((resolve) => setTimeout(resolve, 2)); // so that no two start in the same millisecond
  }
  const ended = await Promise.all(started.map((run) => run.ended));
  expect(ended.map(({ record }) => record.outcome)).toEqual(names.map(() => 'COMMITTED'));
  expect(runs.most).toBeLessThanOrEqual(2);
  expect(runs.mostBefore).toBeLessThan(2);
  expect([...runs.begun].sort()).toEqual(names);
  await made.deployment.close();
  expect(emittedValues(made.logs).filter(({ name }) => name === 'FailedRuns').map(({ value }) => value)).toEqual(names.map(() => 0));
});

test('a run that is too many is refused at once without a queue: it starts nothing, and has a record', async () => {
  const made = await start({
    agent: (_, { taskId }) => taskId === 'first' ? 'sleep 600' : 'echo right > value.txt',
    loop: { maxConcurrentRuns: 1 },
  });
  const runs = new Runs(made);
  const begun = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (made.turns.length === 0) return;
      clearInterval(timer);
      resolve();
    }, 20);
  });
  const first = runs.start('first');
  await begun;
  const { status, error, record } = await runs.start('second').ended;
  expect([status, error]).toEqual(['FAILED', 'CodingLoop.TooManyRuns']);
  expect(record).toMatchObject({
    outcome: 'CodingLoop.TooManyRuns',
    rounds: 0,
    session: { stopped: false },
    error: { message: '1 run that started before this one is in progress, and "maxConcurrentRuns" allows 1' },
  });
  expect(made.server.calls.of('InvokeAgentRuntimeCommand').filter(({ sessionId }) => sessionId === made.sessionOf('second').id)).toEqual([]);
  first.abort();
  await first.ended;
  expect((await runs.start('third').ended).record.outcome).toBe('COMMITTED');
});

test('a run that is aborted while it waits leaves its place to the next one', async () => {
  const made = await start({
    agent: (_, { taskId }) => taskId === 'first' ? 'sleep 600' : 'echo right > value.txt',
    loop: { maxConcurrentRuns: 1, queueTimeout: Duration.days(1) },
  });
  const runs = new Runs(made);
  const first = runs.start('first');
  await new Promise((resolve) => setTimeout(resolve, 2));
  const second = runs.start('second');
  await new Promise((resolve) => setTimeout(resolve, 2));
  const third = runs.start('third');
  second.abort();
  expect((await second.ended).status).toBe('ABORTED');
  first.abort();
  await first.ended;
  expect((await third.ended).record.outcome).toBe('COMMITTED');
  expect(runs.begun).not.toContain('second');
});

describe('the place of a run in the queue', () => {
  const OWN = 'arn:aws:states:us-east-1:123456789012:execution:Loop:m';
  const BEGAN = Date.parse('2026-11-27T03:00:00.123Z');

  /** Asks with some executions, in pages of two, as the service lists them. */
  async function asked(
    others: readonly [name: string, startedAt: number][],
    { max = 1, now = BEGAN, queueSeconds }: { readonly max?: number; readonly now?: number; readonly queueSeconds?: number } = {},
  ) {
    const all = others.map(([name, startedAt]) => ({ executionArn: OWN.replace(/m$/, name), startDate: startedAt / 1_000 }));
    const json = async (_version: string, _target: string, { nextToken = '0' }: { readonly nextToken?: string }) => {
      const end = Number(nextToken) + 2;
      return { executions: all.slice(Number(nextToken), end), ...(end < all.length ? { nextToken: String(end) } : {}) };
    };
    const clock = { now: () => now, sleep: async () => undefined };
    const tools = { requestsOf: () => ({ json }), clock, backoffSeconds: 0 } as unknown as StepTools;
    const request = { operation: 'loop:prepare', execution: OWN, startedAt: new Date(BEGAN).toISOString() } as never;
    return (await admission(request, { maxConcurrentRuns: max, queueSeconds }, tools)).refusal?.name;
  }

  test('is behind those that started before, on all pages, and itself is none of them', async () => {
    const others: [string, number][] = [['z', BEGAN + 1], ['m', BEGAN], ['y', BEGAN + 5], ['a', BEGAN - 1], ['b', BEGAN - 2]];
    expect(await asked(others, { max: 2 })).toBe('CodingLoop.TooManyRuns');
    expect(await asked(others, { max: 3 })).toBeUndefined();
  });

  test.each(['ThrottlingException', 'InternalServerException'])('is kept while it is not known (%s), and until the time in the queue is over', async (name) => {
    const json = () => Promise.reject(Object.assign(new Error('Rate exceeded'), { name, $metadata: { httpStatusCode: 400 } }));
    const look = (now: number, config: object) => admission(
      { operation: 'loop:prepare', execution: OWN, startedAt: new Date(BEGAN).toISOString() } as never, { maxConcurrentRuns: 1, ...config },
      { requestsOf: () => ({ json }), clock: { now: () => now, sleep: async () => undefined }, backoffSeconds: 0 } as unknown as StepTools,
    );
    expect((await look(BEGAN + 59_999, { queueSeconds: 60 })).refusal).toEqual({ name: 'CodingLoop.Queued', message: expect.stringContaining('the place in the queue is not known: ') });
    await expect(look(BEGAN + 60_000, { queueSeconds: 60 })).rejects.toThrow('Rate exceeded');
    await expect(look(BEGAN, {})).rejects.toThrow('Rate exceeded');
  });

  test('is by the ARN among those that started in the same millisecond', async () => {
    expect(await asked([['a', BEGAN]])).toBe('CodingLoop.TooManyRuns');
    expect(await asked([['z', BEGAN]])).toBeUndefined();
  });

  test('is kept until the time in the queue is over', async () => {
    const behind: [string, number][] = [['a', BEGAN - 1]];
    expect(await asked(behind, { queueSeconds: 60, now: BEGAN + 59_999 })).toBe('CodingLoop.Queued');
    expect(await asked(behind, { queueSeconds: 60, now: BEGAN + 60_000 })).toBe('CodingLoop.TooManyRuns');
  });
});
