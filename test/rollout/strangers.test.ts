import { CreateAgentRuntimeEndpointCommand, UpdateAgentRuntimeEndpointCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import { TAGS } from '../../src/rollout/handler/constants';
import { RolloutEvent, requestOf } from '../../src/rollout/handler/rollout-request';
import { ServerFixture } from '../support/agentcore';
import { build, deleteByHand, startAnsweringServer } from '../support/answering-server';
import { RolloutStack } from '../support/rollout-stack';

let fixture: ServerFixture;
let newStack: () => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterAll(() => fixture.close());

describe('an endpoint that the rollout did not create, or no longer controls', () => {
  test('is never removed, and fails the rollout of the version that it is named after', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    await fixture.control.send(new CreateAgentRuntimeEndpointCommand({ agentRuntimeId: stack.deployed!.runtimeId, name: 'v2', agentRuntimeVersion: '1' }));
    await fixture.clock.advance(60_000);

    const { status, reason } = await stack.deploy(build(2));

    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(reason).toContain('endpoint "v2" already exists and was not created by this rollout, but by somebody else: nothing was changed');
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1', 'v2']);
    expect(await stack.deploy(build(4, { KeepEndpoints: '1', RetentionSeconds: '0' }))).toMatchObject({ status: 'COMPLETE', endpointName: 'v4' });
    expect(await stack.endpoints()).toContain('v2');
    await stack.destroy();
  });

  test('is not returned, even if its tags say that it passed', async () => {
    const stack = newStack();
    await stack.deploy({ ...build(1), rollout: undefined });
    const { testsDigest } = requestOf({ ResourceProperties: build(1).rollout } as RolloutEvent, 0);
    await fixture.control.send(new CreateAgentRuntimeEndpointCommand({
      agentRuntimeId: stack.deployed!.runtimeId, name: 'v1', agentRuntimeVersion: '1', tags: { [TAGS.ROLLOUT]: 'rollout-another', [TAGS.PASSED]: testsDigest },
    }));
    await fixture.clock.advance(60_000);

    const { status, reason } = await stack.deploy(build(1));

    expect([status, reason]).toEqual(['ROLLBACK_COMPLETE', expect.stringContaining('was not created by this rollout, but by rollout-another')]);
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
    await stack.destroy();
  });

  test('may be one that somebody moved, which is not returned for the version that it was moved to', async () => {
    const stack = newStack();
    for (const number of [1, 2]) await stack.deploy(build(number));
    await deleteByHand(fixture, stack, 'v1');
    await fixture.control.send(new UpdateAgentRuntimeEndpointCommand({
      agentRuntimeId: stack.deployed!.runtimeId, endpointName: 'v2', agentRuntimeVersion: '1',
    }));
    await fixture.clock.advance(60_000);

    expect(await stack.deploy(build(1))).toMatchObject({ status: 'COMPLETE', endpointName: 'v3' });
    await stack.destroy();
  });

  test('may be one that somebody moved, which fails the rollout', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    await stack.deploy(build(2));
    await fixture.control.send(new UpdateAgentRuntimeEndpointCommand({
      agentRuntimeId: stack.deployed!.runtimeId, endpointName: 'v2', agentRuntimeVersion: '1',
    }));
    await fixture.clock.advance(60_000);

    const { status, reason } = await stack.deploy(build(2, { KeepEndpoints: '3' }));

    expect(status).toBe('ROLLBACK_FAILED'); // the old template has the same version
    expect(reason).toContain('endpoint "v2" was moved to version 1 from outside: nothing was changed');
    expect(await stack.deploy(build(3))).toMatchObject({ status: 'COMPLETE', endpointName: 'v3' });
    await stack.destroy();
  });
});
