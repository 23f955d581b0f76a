import { ListAgentRuntimeVersionsCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import { ERRORS } from '../../src/jobs/constants';
import { SessionError } from '../../src/jobs/errors';
import { ServerFixture } from '../support/agentcore';
import { build, deleteByHand, startAnsweringServer } from '../support/answering-server';
import { directControlPlane } from '../support/direct-control-plane';
import { invokeTest, RolloutStack, RolloutStackOptions } from '../support/rollout-stack';
import { STUB_SANDBOXES } from '../support/stub-sandbox';

const DAY = 86_400_000;

let fixture: ServerFixture;
let newStack: (options?: RolloutStackOptions) => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterAll(() => fixture.close());

function tested(stack: RolloutStack): { readonly count: number } {
  const counter = { count: 0 };
  stack.beforeCall = ({ operation }) => { counter.count += operation === 'InvokeAgentRuntime' ? 1 : 0; };
  return counter;
}

describe('endpoints that are kept', () => {
  test.each([
    { keep: '1', days: 14, expected: ['DEFAULT', 'v1', 'v2', 'v3', 'v4', 'v5'] },
    { keep: '1', days: 0, expected: ['DEFAULT', 'v4', 'v5'] },
    { keep: '3', days: 0, expected: ['DEFAULT', 'v3', 'v4', 'v5'] },
    { keep: '9', days: 0, expected: ['DEFAULT', 'v1', 'v2', 'v3', 'v4', 'v5'] },
  ])('are the newest $keep and those that were replaced less than $days days ago', async ({ keep, days, expected }) => {
    const stack = newStack();
    for (let number = 1; number <= 5; number++) await stack.deploy(build(number, { KeepEndpoints: keep, RetentionSeconds: `${days * 86_400}` }));

    expect(await stack.endpoints()).toEqual(expected);
    await stack.destroy();
  });

  test.each([
    { days: 13.9, expected: ['DEFAULT', 'v1', 'v2', 'v3'] },
    { days: 14.1, expected: ['DEFAULT', 'v2', 'v3'] },
  ])('are counted from the day on which they were replaced: $days days later', async ({ days, expected }) => {
    const stack = newStack();
    await stack.deploy(build(1, { KeepEndpoints: '1' }));
    await fixture.clock.advance(100 * DAY);
    await stack.deploy(build(2, { KeepEndpoints: '1' }));
    await fixture.clock.advance(days * DAY);
    await stack.deploy(build(3, { KeepEndpoints: '1' }));

    expect(await stack.endpoints()).toEqual(expected);
    await stack.destroy();
  });

  test('stay when a rollout fails', async () => {
    const stack = newStack();
    for (const number of [1, 2, 3]) await stack.deploy(build(number));

    await stack.deploy(build(4, { KeepEndpoints: '1', RetentionSeconds: '0' }, 'nothing'));

    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1', 'v2', 'v3']);
    await stack.destroy();
  });

  test('fail the next rollout if there is no room, with a message that names them and the remedies', async () => {
    const stack = newStack();
    for (let number = 1; number <= 9; number++) await stack.deploy(build(number));

    const { status, reason } = await stack.deploy(build(10));

    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(reason).toContain('the runtime has 10, DEFAULT (not of a rollout), v1 (replaced 0 days ago),');
    expect(reason).toMatch(/Service Quotas.*keepEndpoints.*delete-agent-runtime-endpoint --agent-runtime-id coder_/s);
    expect(await stack.endpoints()).toHaveLength(10);
    // The remedy that needs no manual step.
    expect((await stack.deploy(build(9, { KeepEndpoints: '2', RetentionSeconds: '0' }))).status).toBe('COMPLETE');
    expect((await stack.deploy(build(10, { KeepEndpoints: '2', RetentionSeconds: '0' }))).status).toBe('COMPLETE');
    await stack.destroy();
  });
});

describe('unused versions', () => {
  test.each([
    { DeleteUnusedVersions: 'false', expected: 4 },
    { DeleteUnusedVersions: 'true', expected: 2 },
  ])('are deleted only with the option: $DeleteUnusedVersions', async ({ DeleteUnusedVersions, expected }) => {
    const stack = newStack();
    const rollout = { KeepEndpoints: '1', RetentionSeconds: '0', DeleteUnusedVersions };
    for (let number = 1; number <= 4; number++) await stack.deploy(build(number, rollout));
    await fixture.clock.advance(60_000);
    await stack.deploy(build(4, { ...rollout, TimeoutSeconds: '1200' }));

    const { agentRuntimes } = await fixture.control.send(new ListAgentRuntimeVersionsCommand({ agentRuntimeId: stack.deployed!.runtimeId }));
    expect(agentRuntimes).toHaveLength(expected);
    expect(await stack.endpoints()).toContain('v4');
    await stack.destroy();
  });
});

describe('a configuration that has passed', () => {
  test.each(['new', 'old'] as const)('is returned by a rollback without a test, if the rollback names the %s version', async (rollbackVersion) => {
    const stack = newStack({ rollbackVersion });
    await stack.deploy(build(1));
    const counter = tested(stack);

    const result = await stack.deploy({ ...build(2), breaksLater: true });

    expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1', version: '1' });
    expect(counter.count).toBe(1); // of v2
    await stack.destroy();
  });

  test('counts as replaced from the day on which another replaces it for good', async () => {
    const stack = newStack();
    await stack.deploy(build(1, { KeepEndpoints: '1' }));
    await stack.deploy({ ...build(2, { KeepEndpoints: '1' }), breaksLater: true });
    await fixture.clock.advance(15 * DAY);

    await stack.deploy(build(3, { KeepEndpoints: '1' }));
    expect(await stack.endpoints()).toContain('v1');
    await fixture.clock.advance(13 * DAY);
    await stack.deploy(build(4, { KeepEndpoints: '1' }));

    expect(await stack.endpoints()).toContain('v1');
    await stack.destroy();
  });

  test('can be rolled back to even if it no longer passes', async () => {
    const answers = { now: 'pong' };
    const other = await ServerFixture.start({ name: 'another' }, { sandbox: STUB_SANDBOXES, agentFor: () => ({ handler: () => answers.now }) });
    const stack = new RolloutStack(other);
    await stack.deploy(build(1));
    answers.now = 'nothing';

    const result = await stack.deploy(build(2));

    expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1' });
    await other.close();
  });

  test('is tested again with other tests, and keeps its endpoint if it fails them', async () => {
    const stack = newStack();
    await stack.deploy(build(1));

    const { status } = await stack.deploy(build(1, { SmokeTests: [invokeTest({ prompt: 'ping' }, 'something else')] }));

    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
    const counter = tested(stack);
    expect((await stack.deploy(build(1, { KeepEndpoints: '2' }))).endpointName).toBe('v1');
    expect(counter.count).toBe(0);
    await stack.destroy();
  });

  test('is not tested again with tests that it passed before other tests', async () => {
    const stack = newStack();
    // More sets of tests than its tag has room for.
    for (let set = 1; set <= 14; set++) await stack.deploy(build(1, { SmokeTests: [invokeTest({ prompt: 'ping' }, `pong|${set}`)] }));
    const counter = tested(stack);

    for (const set of [13, 3]) {
      expect(await stack.deploy(build(1, { SmokeTests: [invokeTest({ prompt: 'ping' }, `pong|${set}`)] }))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    }
    expect(counter.count).toBe(0);
    await stack.deploy(build(1, { SmokeTests: [invokeTest({ prompt: 'ping' }, 'pong|1')] }));
    expect(counter.count).toBe(1);
    await stack.destroy();
  });

  test('is taken over, untested, by a rollout of the same name when an earlier one left its endpoints', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    const { physicalId, ...left } = stack.deployed!;
    stack.deployed = left;
    const counter = tested(stack);

    expect(await stack.deploy(build(1))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    expect(stack.deployed!.physicalId).toBe(physicalId);
    expect(counter.count).toBe(0);
    await stack.destroy();
  });

  test('stays if it was retained and taken over by a rollout that could not be created', async () => {
    const retained = { RetainEndpoints: 'true' };
    const stack = newStack();
    for (const number of [1, 2]) await stack.deploy(build(number, retained));
    // The rollout is removed from the stack: CloudFormation sends no request.
    const { physicalId, properties, ...left } = stack.deployed!;
    stack.deployed = { ...left, template: build(2) };

    expect(await stack.deploy(build(3, retained, 'nothing'))).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1', 'v2']);
    await stack.destroy();
  });

  test('is tested once more if its endpoint was deleted by hand', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    await deleteByHand(fixture, stack, 'v1');

    expect(await stack.deploy({ ...build(2), breaksLater: true })).toMatchObject({ status: 'ROLLBACK_COMPLETE', endpointName: 'v3' });
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v2', 'v3']);
    await stack.destroy();
  });
});

describe('a rollout in a deployed stack', () => {
  test('leaves DEFAULT unchanged, and removes all its endpoints when it is removed from the stack', async () => {
    const stack = newStack();
    await stack.deploy({ ...build(1), rollout: undefined });

    expect(await stack.deploy(build(1))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    await stack.deploy(build(2));
    await stack.deploy({ ...build(2), rollout: undefined });

    expect(await stack.endpoints()).toEqual(['DEFAULT']);
    expect(stack.log.filter(({ message }) => message === 'endpoint removed').map(({ details }) => details)).toMatchObject([{ endpoint: 'v1' }, { endpoint: 'v2' }]);
    await stack.destroy();
  });
});

describe('runs on an endpoint that is due for removal', () => {
  test('are waited for, and keep the endpoint if they do not end in time', async () => {
    const runs = new Map<string, number>();
    const stack = newStack({
      executions: {
        using: async (_, names) => new Map(names.filter((name) => (runs.get(name) ?? 0) > fixture.clock.now()).map((name) => [name, 'a-run'])),
      },
    });
    const rollout = { KeepEndpoints: '1', RetentionSeconds: '0', DrainStateMachines: ['arn:aws:states:us-east-1:123456789012:stateMachine:fix'], DrainSeconds: '600' };
    for (const number of [1, 2]) await stack.deploy(build(number, rollout));

    runs.set('v1', fixture.clock.now() + 3_600_000);
    const before = fixture.clock.now();
    await stack.deploy(build(3, rollout));
    expect(fixture.clock.now() - before).toBeGreaterThan(600_000);
    expect(fixture.clock.now() - before).toBeLessThan(900_000);
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1', 'v2', 'v3']);

    runs.set('v1', fixture.clock.now() + 60_000);
    await stack.deploy(build(4, rollout));
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v3', 'v4']);
    await stack.destroy();
  });

  test('are not waited for after the timeout if they cannot be listed, and the endpoint is left', async () => {
    const stack = newStack({ executions: { using: async () => { throw new SessionError(ERRORS.THROTTLED, 'ThrottlingException'); } } });
    const rollout = { KeepEndpoints: '1', RetentionSeconds: '0', DrainSeconds: '300' };
    for (const number of [1, 2]) await stack.deploy(build(number, rollout));
    const before = fixture.clock.now();

    expect((await stack.deploy(build(3, rollout))).status).toBe('COMPLETE');

    expect(fixture.clock.now() - before).toBeGreaterThan(300_000);
    expect(fixture.clock.now() - before).toBeLessThan(400_000);
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1', 'v2', 'v3']);
    expect(stack.log.at(-1)).toEqual({
      message: 'endpoint left', details: { endpoint: 'v1', reason: 'cannot determine what runs on it (ThrottlingException)' },
    });
    await stack.destroy();
  });
});

describe('a service that makes no progress', () => {
  test('fails the rollout after its timeout, with a message that says what it waited for', async () => {
    const slow = await ServerFixture.start({ name: 'another' }, { transition: 3_000_000, sandbox: STUB_SANDBOXES });
    const stack = new RolloutStack(slow, { newControl: () => directControlPlane(slow.server, slow.newControl()) });

    const { reason } = await stack.deploy(build(1, { TimeoutSeconds: '600' }));

    expect(reason).toContain('waited 600 seconds for endpoint "v1" to become READY, which is CREATING; "timeout" can be up to 3000 seconds');
    await slow.close();
  });

  test('fails the rollout with the reason why an endpoint could not be created', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    fixture.server.faults.add({ operation: 'CreateAgentRuntimeEndpoint', at: 'beforeStart', kind: 'failTransition' });

    const { status, reason } = await stack.deploy(build(2));

    expect([status, reason]).toEqual(['ROLLBACK_COMPLETE', expect.stringContaining('endpoint "v2" is CREATE_FAILED: injected: failTransition')]);
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
    await stack.destroy();
  });

  test('never fails a deletion: endpoints that cannot be deleted are left and logged', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    fixture.server.faults.add({ operation: 'DeleteAgentRuntimeEndpoint', at: 'beforeStart', kind: 'accessDenied', times: 100 });

    expect((await stack.destroy())!.status).toBe('SUCCESS');

    fixture.server.faults.clear();
    expect(stack.log).toContainEqual({ message: 'endpoint left', details: expect.objectContaining({ endpoint: 'v1', error: 'Workbench.AccessDenied' }) });
  });
});
