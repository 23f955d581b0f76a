import { ControlPlane } from '../../src/rollout/handler/control-plane';
import { ServerFixture } from '../support/agentcore';
import { build, startAnsweringServer } from '../support/answering-server';
import { Deployment, invokeTest, RolloutStack, RolloutStackOptions, Template } from '../support/rollout-stack';

jest.setTimeout(120_000);

/** Other tests of the same version: they run on an endpoint that passed and is in use. */
const OTHER_TESTS = { SmokeTests: [invokeTest({ prompt: 'ping' }, 'po')] };
const NONE: Template = { ...build(1), rollout: undefined };

interface Sequence {
  readonly name: string;
  /** The templates that are deployed before, without a crash. */
  readonly before: Template[];
  readonly deployed: Template;
  /** The endpoints that a crash leaves: those from before, and the new one if it had passed. */
  readonly endpoints: string[][];
}

const SEQUENCES: Sequence[] = [
  { name: 'a create', before: [NONE], deployed: build(1), endpoints: [['DEFAULT']] },
  { name: 'an update', before: [build(1)], deployed: build(2), endpoints: [['DEFAULT', 'v1'], ['DEFAULT', 'v1', 'v2']] },
  { name: 'an update of the tests alone', before: [build(1)], deployed: build(1, OTHER_TESTS), endpoints: [['DEFAULT', 'v1']] },
  {
    name: 'an update that removes an endpoint',
    before: [build(1), build(2)],
    deployed: build(3, { KeepEndpoints: '1', RetentionSeconds: '0' }),
    endpoints: [['DEFAULT', 'v1', 'v2'], ['DEFAULT', 'v1', 'v2', 'v3'], ['DEFAULT', 'v2', 'v3']],
  },
];

let fixture: ServerFixture;
let newStack: (options?: RolloutStackOptions) => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterAll(() => fixture.close());

/** A function that dies once, at its nth call, which counts as its failure for the framework. */
class Crash {
  public requests = 0;
  public struck = false;
  /** Determines whether further calls are spared. */
  public isOver = false;
  public readonly sessions = new Set<string>();

  constructor(private readonly stack: RolloutStack, at: 'before' | 'after', nth: number) {
    stack.beforeCall = ({ operation, input }) => {
      this.strikeIf(++this.requests === nth && at === 'before');
      if (operation === 'InvokeAgentRuntime') this.sessions.add(input.runtimeSessionId!);
    };
    stack.afterCall = ({ operation, input }) => {
      if (operation === 'StopRuntimeSession') this.sessions.delete(input.runtimeSessionId!);
      this.strikeIf(this.requests === nth && at === 'after' && !this.struck);
    };
  }

  public end(): void {
    this.stack.beforeCall = undefined;
    this.stack.afterCall = undefined;
  }

  private strikeIf(condition: boolean): void {
    if (!condition || this.isOver) return;
    this.struck = true;
    throw new Error('killed');
  }
}

async function prepared(before: Template[]): Promise<RolloutStack> {
  const stack = newStack({ onDeath: 'fail' });
  for (const template of before) await stack.deploy(template);
  return stack;
}

/** Runs the check with each call at which the function may die, until there is none. */
async function atEachRequest(check: (at: 'before' | 'after', nth: number) => Promise<Crash>): Promise<void> {
  for (const at of ['before', 'after'] as const) {
    for (let nth = 1, struck = true; struck; nth++) {
      try {
        ({ struck } = await check(at, nth));
      } catch (error) {
        throw new Error(`death ${at} request ${nth} has answered: ${(error as Error).message}`, { cause: error });
      }
    }
  }
}

/** Asserts that the endpoint for new sessions answers as a version that passed. */
async function expectToAnswer(stack: RolloutStack, qualifier: string): Promise<void> {
  const address = { agentRuntimeArn: stack.deployed!.runtimeArn, qualifier };
  expect(await (await fixture.invoke({ prompt: 'ping' }, address)).text()).toContain('pong');
  await fixture.stop(address);
}

/** Returns the endpoints on which a session may be left, according to their tags. */
async function endpointsUnderTest({ deployed }: RolloutStack): Promise<string[]> {
  const endpoints = await new ControlPlane(fixture.control, deployed!.runtimeId).endpoints();
  return endpoints.filter(({ request }) => request !== undefined).map(({ name }) => name);
}

async function expectUndone(stack: RolloutStack, result: Deployment, endpoints: string[][], live?: string): Promise<void> {
  expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE', reason: expect.stringContaining('signal: killed') });
  expect(result.endpointName).toBe(live);
  expect(endpoints).toContainEqual(await stack.endpoints());
  expect(await endpointsUnderTest(stack)).toEqual([]);
  if (live !== undefined) await expectToAnswer(stack, live);
}

describe('a function that dies, which counts as a failure for the provider framework', () => {
  test.each(SEQUENCES)('fails $name at any of its calls, which is rolled back and can be repeated', async ({ before, deployed, endpoints }) => {
    await atEachRequest(async (at, nth) => {
      const stack = await prepared(before);
      const live = stack.responses.at(-1)?.data.EndpointName;
      const crash = new Crash(stack, at, nth);

      const result = await stack.deploy(deployed);

      crash.end();
      expect([...crash.sessions]).toEqual([]);
      if (crash.struck) await expectUndone(stack, result, endpoints, live);
      const again = await stack.deploy(deployed);
      expect([again.status, again.reason]).toEqual(['COMPLETE', undefined]);
      await expectToAnswer(stack, again.endpointName!);
      expect(await endpointsUnderTest(stack)).toEqual([]);
      await stack.destroy();
      return crash;
    });
  });

  test('leaves what it started to the next request, even without a rollback', async () => {
    await atEachRequest(async (at, nth) => {
      const stack = await prepared([build(1)]);
      const { physicalId, properties } = stack.deployed!;
      const crash = new Crash(stack, at, nth);

      const { status } = await stack.ask('Update', { ...properties!, ...OTHER_TESTS }, physicalId);
      crash.isOver = true;
      expect(status).toBe(crash.struck ? 'FAILED' : 'SUCCESS');
      const again = await stack.ask('Update', { ...properties!, SmokeTests: [invokeTest({ prompt: 'ping' }, 'ong')] }, physicalId);

      crash.end();
      expect(again).toMatchObject({ status: 'SUCCESS', data: { EndpointName: 'v1' } });
      expect([...crash.sessions]).toEqual([]);
      await stack.destroy();
      return crash;
    });
  });

  test('fails a deletion at any of its calls, which can be repeated', async () => {
    await atEachRequest(async (at, nth) => {
      const stack = await prepared([build(1), build(2)]);
      const crash = new Crash(stack, at, nth);
      const { physicalId, properties } = stack.deployed!;

      const { status } = await stack.ask('Delete', properties!, physicalId);

      crash.end();
      expect(status).toBe(crash.struck ? 'FAILED' : 'SUCCESS');
      expect((await stack.ask('Delete', properties!, physicalId)).status).toBe('SUCCESS');
      expect(await stack.endpoints()).toEqual(['DEFAULT']);
      await stack.destroy();
      return crash;
    });
  });

  test('fails a rollback at any of its calls, which can be continued', async () => {
    await atEachRequest(async (at, nth) => {
      const stack = await prepared([build(1)]);
      let crash: Crash | undefined;
      // The next response is the failure of the update, and the one after it belongs to the rollback.
      stack.onResponse = () => { crash ??= new Crash(stack, at, nth); };

      const result = await stack.deploy(build(2, {}, 'nothing'));

      crash!.end();
      expect(result.status).toBe(crash!.struck ? 'ROLLBACK_FAILED' : 'ROLLBACK_COMPLETE');
      const { physicalId, properties } = stack.deployed!;
      expect(await stack.ask('Update', properties!, physicalId)).toMatchObject({ status: 'SUCCESS', data: { EndpointName: 'v1' } });
      expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
      await expectToAnswer(stack, 'v1');
      await stack.destroy();
      return crash!;
    });
  });
});
