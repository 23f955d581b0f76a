import {
  BedrockAgentCoreControlClient, CreateAgentRuntimeEndpointCommand, DeleteAgentRuntimeEndpointCommand, UpdateAgentRuntimeCommand,
  UpdateAgentRuntimeEndpointCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { TAGS } from '../../src/rollout/handler/constants';
import { ControlPlane } from '../../src/rollout/handler/control-plane';
import { NotThereError } from '../../src/rollout/handler/errors';
import { ServerFixture } from '../support/agentcore';

let fixture: ServerFixture;
let runtimeId: string;
let control: ControlPlane;

beforeEach(async () => {
  fixture = await ServerFixture.start({}, { transition: 5_000 });
  await fixture.clock.advance(60_000);
  [, runtimeId] = fixture.arn.split('runtime/');
  control = new ControlPlane(fixture.control, runtimeId);
});

afterEach(() => fixture.close());

/** Returns a client that does something before each of its requests. */
function clientThat(does: (input: object, commandName: string) => Promise<unknown>): BedrockAgentCoreControlClient {
  const client = fixture.newControl();
  client.middlewareStack.add((next, { commandName }) => async (args) => {
    await does(args.input, commandName!);
    return next(args);
  }, { step: 'initialize', name: 'does' });
  return client;
}

const nameOf = ({ name }: { readonly name: string }) => name;

describe('the endpoints of a runtime', () => {
  test('are read from all pages, with the values of their tags', async () => {
    await control.createEndpoint('v1', '1', 'The first', { ROLLOUT: 'rollout-1', REQUEST: 'a-request' });
    await fixture.control.send(new CreateAgentRuntimeEndpointCommand({ agentRuntimeId: runtimeId, name: 'v01', tags: { [TAGS.ROLLOUT]: 'rollout-1' } }));
    await fixture.clock.advance(60_000);
    const [, { arn }] = await control.endpoints();
    await control.tag(arn, { PASSED: 'one two', REQUEST: '', RETIRED: '2026-01-01T00:00:00.000Z another-request' });

    expect(await new ControlPlane(clientThat(async (input) => Object.assign(input, { maxResults: 1 })), runtimeId).endpoints()).toEqual([
      { name: 'DEFAULT', arn: expect.any(String), status: 'READY', version: '1', liveVersion: '1', passed: [] },
      {
        name: 'v1',
        arn,
        status: 'READY',
        version: '1',
        liveVersion: '1',
        rollout: 'rollout-1',
        passed: ['one', 'two'],
        retired: { at: Date.UTC(2026, 0, 1), by: 'another-request' },
      },
      // Not a name that a rollout gives, whatever its tags.
      { name: 'v01', arn: expect.any(String), status: 'READY', version: '1', liveVersion: '1', passed: [] },
    ]);
    await control.untag(arn, 'RETIRED');
    expect((await control.endpoints())[1].retired).toBeUndefined();
  });

  test('do not include one that is deleted before its tags are read', async () => {
    await control.createEndpoint('v1', '1', 'It goes', {});
    await fixture.clock.advance(60_000);
    const slow = clientThat(async (_, commandName) => {
      if (commandName !== 'ListTagsForResourceCommand') return;
      await fixture.control.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: runtimeId, endpointName: 'v1' }));
      await fixture.clock.advance(60_000);
    });

    expect((await new ControlPlane(slow, runtimeId).endpoints()).map(nameOf)).toEqual(['DEFAULT']);
  });

  test('have the version that they are moving to', async () => {
    await control.createEndpoint('v1', '1', 'It moves', {});
    await fixture.clock.advance(60_000);
    await fixture.control.send(new UpdateAgentRuntimeCommand({
      agentRuntimeId: runtimeId,
      agentRuntimeArtifact: { containerConfiguration: { containerUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:2' } },
      roleArn: 'arn:aws:iam::123456789012:role/agent',
      networkConfiguration: { networkMode: 'PUBLIC' },
    }));
    await fixture.clock.advance(60_000);
    await fixture.control.send(new UpdateAgentRuntimeEndpointCommand({ agentRuntimeId: runtimeId, endpointName: 'v1', agentRuntimeVersion: '2' }));

    expect((await control.endpoints())[1]).toMatchObject({ status: 'UPDATING', version: '2', liveVersion: '1' });
  });

  test('are deleted without an error if they do not exist', async () => {
    await expect(control.deleteEndpoint('v9')).resolves.toBeUndefined();
  });

  test('have a failure reason, or a text that says that there is none', async () => {
    expect(await control.failureReason('DEFAULT')).toBe('the service gives no reason');
    await expect(control.failureReason('v9')).rejects.toThrow(NotThereError);
  });
});

describe('a version', () => {
  test('that does not exist fails with an error that is not transient', async () => {
    await expect(control.version('9')).rejects.toThrow(NotThereError);
    await expect(control.createEndpoint('v9', '9', 'No version', {})).rejects.toThrow(NotThereError);
    fixture.server.faults.add({ operation: 'GetAgentRuntime', at: 'beforeStart', kind: 'throttle' });
    await expect(control.version('1')).rejects.toMatchObject({ name: 'Workbench.Throttled' });
  });

  test.each(['', '0', '1/', '100000', 'undefined', ' 1'])('is never "%s", which might delete the whole runtime', async (version) => {
    await expect(control.deleteVersion(version)).rejects.toThrow(`"version" must be a whole number from 1 to 99999, not "${version}"`);
    expect(await control.versions()).toEqual(['1']);
  });

  test('is deleted without an error if it does not exist', async () => {
    await expect(control.deleteVersion('9')).resolves.toBeUndefined();
  });
});
