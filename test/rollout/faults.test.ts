import { ServerFixture } from '../support/agentcore';
import { startAnsweringServer } from '../support/answering-server';
import { invokeTest, RolloutStack, RolloutStackOptions, Template } from '../support/rollout-stack';

/** The faults of one call of a function to the service. */
const FAULTS = ['throttle', 'conflict', 'internal', 'reset', 'death before', 'death after'] as const;
type Fault = typeof FAULTS[number];

/** Each fault strikes every third call, so that two of the six strike each. The nightly script sets WORKBENCH_ALL_FAULTS: all strike all. */
const STRIDE = process.env.WORKBENCH_ALL_FAULTS === undefined ? 3 : 1;

const ROLLOUT = { SmokeTests: [invokeTest({ prompt: 'ping' }, 'pong')] };
const V1: Template = { environment: { ANSWER: 'pong', BUILD: '1' }, rollout: ROLLOUT };
const V2: Template = { environment: { ANSWER: 'pong', BUILD: '2' }, rollout: ROLLOUT };
const RED: Template = { environment: { ANSWER: 'nothing', BUILD: '3' }, rollout: ROLLOUT };

interface Sequence {
  readonly name: string;
  /** The template that is deployed before. */
  readonly before: Template[];
  readonly run: (stack: RolloutStack) => Promise<unknown>;
  readonly outcome: unknown;
  readonly endpoints: string[];
  /** Determines whether the endpoint for new sessions is removed too. */
  readonly removesAll?: boolean;
}

/** Each ends with the endpoints that the rules keep, whatever fails on the way. */
const SEQUENCES: Sequence[] = [
  {
    name: 'a create',
    before: [],
    run: (stack) => stack.deploy(V1),
    outcome: { status: 'COMPLETE', endpointName: 'v1', version: '1' },
    endpoints: ['DEFAULT', 'v1'],
  },
  {
    name: 'a failed create',
    before: [],
    run: (stack) => stack.deploy(RED),
    outcome: expect.objectContaining({ status: 'ROLLBACK_COMPLETE' }),
    endpoints: [],
  },
  {
    name: 'an update',
    before: [V1],
    run: (stack) => stack.deploy(V2),
    outcome: { status: 'COMPLETE', endpointName: 'v2', version: '2' },
    endpoints: ['DEFAULT', 'v1', 'v2'],
  },
  {
    name: 'a failed update with its rollback',
    before: [V1],
    run: (stack) => stack.deploy(RED),
    outcome: expect.objectContaining({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1', version: '1' }),
    endpoints: ['DEFAULT', 'v1'],
  },
  {
    name: 'an update that a later resource fails, with its rollback',
    before: [V1],
    run: (stack) => stack.deploy({ ...V2, breaksLater: true }),
    outcome: expect.objectContaining({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1', version: '1' }),
    endpoints: ['DEFAULT', 'v1', 'v2'],
  },
  {
    name: 'a replacement of the runtime',
    before: [V1],
    run: (stack) => stack.deploy({ ...V2, runtimeName: 'successor' }),
    outcome: { status: 'COMPLETE', endpointName: 'v1', version: '1' },
    endpoints: ['DEFAULT', 'v1'],
  },
  {
    name: 'a failed replacement with its rollback',
    before: [V1],
    run: (stack) => stack.deploy({ ...RED, runtimeName: 'successor' }),
    outcome: expect.objectContaining({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1', version: '1' }),
    endpoints: ['DEFAULT', 'v1'],
  },
  {
    name: 'a removal of the oldest endpoint',
    before: [V1, V2],
    run: (stack) => stack.deploy({ environment: { ANSWER: 'pong', BUILD: '4' }, rollout: { ...ROLLOUT, KeepEndpoints: '1', RetentionSeconds: '0' } }),
    outcome: { status: 'COMPLETE', endpointName: 'v3', version: '3' },
    endpoints: ['DEFAULT', 'v2', 'v3'],
  },
  {
    name: 'a deletion',
    before: [V1, V2],
    run: (stack) => stack.destroy(),
    outcome: expect.objectContaining({ status: 'SUCCESS' }),
    endpoints: [],
    removesAll: true,
  },
];

jest.setTimeout(120_000);

let fixture: ServerFixture;
let newStack: (options?: RolloutStackOptions) => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterAll(() => fixture.close());

async function prepared(before: Template[], options?: RolloutStackOptions): Promise<RolloutStack> {
  const stack = newStack(options);
  for (const template of before) await stack.deploy(template);
  return stack;
}

/** Runs the sequence with the fault at its nth call. Returns the number of calls. */
async function expectSameWithFault(sequence: Sequence, fault: Fault | undefined, nth: number): Promise<number> {
  const { before, run, outcome, endpoints, removesAll } = sequence;
  const stack = await prepared(before);
  const live = stack.deployed && [stack.deployed.runtimeId, `v${before.length}`];
  const sessions = new Set<string>();
  let requests = 0;
  stack.beforeCall = ({ operation, input }) => {
    // The endpoint for new sessions is never removed, unless its stack is.
    if (operation === 'DeleteAgentRuntimeEndpoint' && !removesAll) expect([input.agentRuntimeId, input.endpointName]).not.toEqual(live);
    if (operation === 'InvokeAgentRuntime') sessions.add(input.runtimeSessionId!);
    if (++requests !== nth || fault === undefined || fault === 'death after') return;
    if (fault === 'death before') throw new Error('killed');
    fixture.server.faults.add({ operation: operation as never, at: 'beforeStart', kind: fault });
  };
  stack.afterCall = ({ operation, input }) => {
    if (operation === 'StopRuntimeSession') sessions.delete(input.runtimeSessionId!);
    if (requests === nth && fault === 'death after') {
      requests++;
      throw new Error('killed');
    }
  };
  const result = await run(stack);
  stack.beforeCall = undefined;
  stack.afterCall = undefined;
  expect(result).toEqual(outcome);
  expect(stack.deployed ? await stack.endpoints() : []).toEqual(endpoints);
  expect([...sessions]).toEqual([]);
  fixture.server.faults.clear();
  if (stack.deployed) await stack.destroy();
  return requests;
}

describe.each(SEQUENCES)('$name', (sequence) => {
  test('has the expected result', async () => {
    expect(await expectSameWithFault(sequence, undefined, 0)).toBeGreaterThan(0);
  });

  test.each(FAULTS)('has the same result with a %s at any of its calls', async (fault) => {
    let requests = Infinity;
    for (let nth = 1 + FAULTS.indexOf(fault) % STRIDE; nth <= requests; nth += STRIDE) {
      try {
        const made = await expectSameWithFault(sequence, fault, nth);
        if (requests === Infinity) requests = made;
      } catch (error) {
        throw new Error(`${fault} at request ${nth}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
});
