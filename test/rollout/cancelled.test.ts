import { StopRuntimeSessionCommand } from '@aws-sdk/client-bedrock-agentcore';
import { ControlPlane } from '../../src/rollout/handler/control-plane';
import { ServerFixture } from '../support/agentcore';
import { build, startAnsweringServer } from '../support/answering-server';
import { HandlerCall } from '../support/mortal';
import { invokeTest, RolloutStack, RolloutStackOptions, Template } from '../support/rollout-stack';

jest.setTimeout(120_000);

let fixture: ServerFixture;
let newStack: (options?: RolloutStackOptions) => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterAll(() => fixture.close());

/** Returns the inputs of the calls that start sessions. */
function watchSessions(stack: RolloutStack): HandlerCall['input'][] {
  const sessions: HandlerCall['input'][] = [];
  stack.beforeCall = ({ operation, input }) => void (operation === 'InvokeAgentRuntime' && sessions.push(input));
  return sessions;
}

/** Asserts that none of the sessions exists any more. */
async function expectNoSession(sessions: readonly HandlerCall['input'][]): Promise<void> {
  for (const { agentRuntimeArn, qualifier, runtimeSessionId } of sessions) {
    const stop = new StopRuntimeSessionCommand({ agentRuntimeArn, qualifier, runtimeSessionId });
    await expect(fixture.client.send(stop)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  }
}

/** Runs the check with the request cancelled after each of its calls in turn, until the request completes first. */
async function afterEachCall(check: (cancelledAfter: number) => Promise<RolloutStack>): Promise<void> {
  for (let cancelledAfter = 1, isCancelled = true; isCancelled; cancelledAfter++) {
    try {
      isCancelled = (await check(cancelledAfter)).unread.length > 0;
    } catch (error) {
      throw new Error(`cancelled after call ${cancelledAfter}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Asserts that a cancelled request stopped, unless it had completed. */
function expectToHaveStopped({ unread }: RolloutStack): void {
  const reasons = unread.filter(({ status }) => status === 'FAILED').map(({ reason }) => reason);
  expect(reasons.filter((reason) => !/^request .* came after this one|No endpoint or agent found/.test(reason))).toEqual([]);
}

async function endpointsOf({ deployed }: RolloutStack) {
  return new ControlPlane(fixture.control, deployed!.runtimeId).endpoints();
}

const NONE: Template = { ...build(1), rollout: undefined };

test('a cancelled create leaves nothing, although its deletion has an id that CloudFormation made up', async () => {
  await afterEachCall(async (cancelledAfter) => {
    const stack = newStack();
    await stack.deploy(NONE);
    const sessions = watchSessions(stack);

    const { status } = await stack.deploy({ ...build(1), cancelledAfter });

    expectToHaveStopped(stack);
    await expectNoSession(sessions);
    const isCancelled = stack.unread.length > 0;
    expect([status, await stack.endpoints()]).toEqual(isCancelled ? ['ROLLBACK_COMPLETE', ['DEFAULT']] : ['COMPLETE', ['DEFAULT', 'v1']]);
    stack.beforeCall = undefined;
    expect(await stack.deploy(build(1))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    await stack.destroy();
    return stack;
  });
});

test('a cancelled create releases a runtime that was created with it', async () => {
  await afterEachCall(async (cancelledAfter) => {
    const stack = newStack();
    const sessions = watchSessions(stack);

    await stack.deploy({ ...build(1), cancelledAfter });

    expectToHaveStopped(stack);
    await expectNoSession(sessions);
    if (stack.unread.length === 0) await stack.destroy();
    return stack;
  });
});

test.each([
  ['of the runtime', build(2), [['DEFAULT', 'v1'], ['DEFAULT', 'v1', 'v2']]],
  ['of the tests alone', build(1, { SmokeTests: [invokeTest({ prompt: 'ping' }, 'po')] }), [['DEFAULT', 'v1']]],
  ['that removes an endpoint', build(2, { KeepEndpoints: '1', RetentionSeconds: '0' }), [['DEFAULT', 'v1'], ['DEFAULT', 'v1', 'v2']]],
])('a cancelled update %s leaves the previous endpoint to its rollback, and changes nothing afterwards', async (_, deployed, endpoints) => {
  await afterEachCall(async (cancelledAfter) => {
    const stack = newStack();
    await stack.deploy(build(1));
    const sessions = watchSessions(stack);

    const result = await stack.deploy({ ...deployed, cancelledAfter });

    expectToHaveStopped(stack);
    await expectNoSession(sessions);
    const v1 = (await endpointsOf(stack)).find(({ name }) => name === 'v1')!;
    const wasCancelled = stack.unread.length > 0;
    const isLive = wasCancelled || result.endpointName === 'v1';
    expect([result.status, v1.retired === undefined, v1.request]).toEqual([wasCancelled ? 'ROLLBACK_COMPLETE' : 'COMPLETE', isLive, undefined]);
    expect(result.endpointName).toBe(isLive ? 'v1' : 'v2');
    expect(endpoints).toContainEqual(await stack.endpoints());
    stack.beforeCall = undefined;
    expect((await stack.deploy(build(3))).status).toBe('COMPLETE');
    await stack.destroy();
    return stack;
  });
});

test('a request that is cancelled before it is recorded does not take its turn later', async () => {
  const stack = newStack();
  await stack.deploy(build(1));

  await stack.deploy({ ...build(2), cancelledAfter: 1 });

  expect(stack.unread).toEqual([expect.objectContaining({ status: 'FAILED', reason: expect.stringMatching(/^request .* came after this one/) })]);
  await stack.destroy();
});

test('a rollout continues if DEFAULT cannot be tagged', async () => {
  const stack = newStack();
  stack.beforeCall = ({ operation, input }) => {
    const { resourceArn = '' } = input as { readonly resourceArn?: string };
    if (resourceArn.endsWith('/DEFAULT')) fixture.server.faults.add({ operation: operation as 'TagResource', at: 'beforeStart', kind: 'validation' });
  };
  expect(await stack.deploy(build(1))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
  expect(await stack.deploy(build(2))).toMatchObject({ status: 'COMPLETE', endpointName: 'v2' });
  expect(stack.log.filter(({ message }) => message === 'request not noted').length).toBeGreaterThan(1);
  expect((await stack.destroy())!.status).toBe('SUCCESS');
});
