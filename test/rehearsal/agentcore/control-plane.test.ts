import {
  CreateAgentRuntimeCommand, CreateAgentRuntimeCommandInput, CreateAgentRuntimeEndpointCommand, DeleteAgentRuntimeCommand,
  DeleteAgentRuntimeEndpointCommand, GetAgentRuntimeCommand, GetAgentRuntimeEndpointCommand, ListAgentRuntimeEndpointsCommand,
  ListAgentRuntimesCommand, ListAgentRuntimeVersionsCommand, UpdateAgentRuntimeCommand, UpdateAgentRuntimeEndpointCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { ServerFixture } from '../../support/agentcore';

/** The duration of a transition here, in milliseconds. */
const TRANSITION = 5_000;
const INPUT: CreateAgentRuntimeCommandInput = {
  agentRuntimeName: 'made_by_api',
  agentRuntimeArtifact: { containerConfiguration: { containerUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1' } },
  roleArn: 'arn:aws:iam::123456789012:role/agent',
  networkConfiguration: { networkMode: 'PUBLIC' },
  environmentVariables: { A: 'b' },
  filesystemConfigurations: [{ sessionStorage: { mountPath: '/mnt/workspace' } }],
};

let fixture: ServerFixture;
let id: string;
beforeEach(async () => {
  fixture = await ServerFixture.start({}, { transition: TRANSITION, agentFor: runtime => ({ handler: () => ({ agentOf: runtime.name }) }) });
  await settle();
  const created = await create();
  id = created.agentRuntimeId!;
});
afterEach(() => fixture.close());

const settle = () => fixture.clock.advance(TRANSITION);
const create = (input: Partial<CreateAgentRuntimeCommandInput> = {}) => fixture.control.send(new CreateAgentRuntimeCommand({ ...INPUT, ...input }));
const update = (input: Partial<CreateAgentRuntimeCommandInput> = {}) => {
  const { agentRuntimeName, ...rest } = { ...INPUT, ...input };
  return fixture.control.send(new UpdateAgentRuntimeCommand({ ...rest, agentRuntimeId: id }));
};
const get = (agentRuntimeVersion?: string) => fixture.control.send(new GetAgentRuntimeCommand({ agentRuntimeId: id, agentRuntimeVersion }));
const endpoint = (endpointName: string) => fixture.control.send(new GetAgentRuntimeEndpointCommand({ agentRuntimeId: id, endpointName }));
const createEndpoint = (name: string, agentRuntimeVersion?: string) =>
  fixture.control.send(new CreateAgentRuntimeEndpointCommand({ agentRuntimeId: id, name, agentRuntimeVersion }));
const updateEndpoint = (endpointName: string, agentRuntimeVersion: string) =>
  fixture.control.send(new UpdateAgentRuntimeEndpointCommand({ agentRuntimeId: id, endpointName, agentRuntimeVersion }));
const deleteEndpoint = (endpointName: string) => fixture.control.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: id, endpointName }));
const deleteRuntime = (agentRuntimeVersion?: string) =>
  fixture.control.send(new DeleteAgentRuntimeCommand({ agentRuntimeId: id, agentRuntimeVersion }));

describe('a runtime', () => {
  test('is CREATING, then READY with its DEFAULT endpoint', async () => {
    expect(await get()).toMatchObject({ status: 'CREATING', agentRuntimeVersion: '1' });
    expect(await endpoint('DEFAULT')).toMatchObject({ status: 'CREATING', targetVersion: '1' });
    expect((await endpoint('DEFAULT')).liveVersion).toBeUndefined();
    await settle();
    expect(await endpoint('DEFAULT')).toMatchObject({ status: 'READY', targetVersion: '1', liveVersion: '1' });
    const runtime = await get();
    expect(runtime).toMatchObject({
      ...INPUT, status: 'READY', agentRuntimeId: id, lifecycleConfiguration: { idleRuntimeSessionTimeout: 900, maxLifetime: 28800 },
    });
    expect(runtime.agentRuntimeId).toMatch(/^made_by_api-[a-zA-Z0-9]{10}$/);
    expect(runtime.agentRuntimeArn).toBe(`arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/${id}`);
    expect(runtime.createdAt).toBeInstanceOf(Date);
  });

  test('accepts no invocation until it is ready, then invokes the agent that the server was given for it', async () => {
    const arn = (await get()).agentRuntimeArn!;
    const other = { agentRuntimeArn: arn };
    await expect(fixture.command('true', other)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await settle();
    expect(await fixture.command('echo "$A"; ls -d /mnt/*', other)).toMatchObject({ stdout: 'b\n/mnt/workspace\n' });
  });

  test('gets another version from each update, and DEFAULT moves to it', async () => {
    await settle();
    expect(await update({ environmentVariables: { A: 'c' } })).toMatchObject({ agentRuntimeVersion: '2', status: 'UPDATING' });
    expect(await endpoint('DEFAULT')).toMatchObject({ status: 'UPDATING', liveVersion: '1', targetVersion: '2' });
    await settle();
    expect(await endpoint('DEFAULT')).toMatchObject({ status: 'READY', liveVersion: '2', targetVersion: '2' });
    expect((await get('1')).environmentVariables).toEqual({ A: 'b' });
    expect((await get()).environmentVariables).toEqual({ A: 'c' });
    const { agentRuntimes } = await fixture.control.send(new ListAgentRuntimeVersionsCommand({ agentRuntimeId: id }));
    expect(agentRuntimes!.map(({ agentRuntimeVersion }) => agentRuntimeVersion)).toEqual(['2', '1']);
  });

  test('is replaced as a whole by an update: omitted properties are removed', async () => {
    await settle();
    await update({ environmentVariables: undefined });
    expect((await get()).environmentVariables).toBeUndefined();
  });

  test('cannot be changed while it is in transition', async () => {
    await expect(update()).rejects.toMatchObject({ name: 'ConflictException', $metadata: { httpStatusCode: 409 } });
    await expect(deleteRuntime()).rejects.toMatchObject({ name: 'ConflictException' });
    await expect(createEndpoint('v1')).rejects.toMatchObject({ name: 'ConflictException' });
  });

  test('is DELETING, then gone, with its sessions and workspaces', async () => {
    await settle();
    const { agentRuntimeArn } = await get();
    await fixture.command('touch /mnt/workspace/file', { agentRuntimeArn });
    expect(await deleteRuntime()).toMatchObject({ status: 'DELETING' });
    expect(await get()).toMatchObject({ status: 'DELETING' });
    await settle();
    await expect(get()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(fixture.command('true', { agentRuntimeArn })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('can lose a version that no endpoint uses', async () => {
    await settle();
    await update();
    await settle();
    await expect(deleteRuntime('2')).rejects.toMatchObject({ name: 'ConflictException' });
    expect(await deleteRuntime('1')).toMatchObject({ agentRuntimeVersion: '1', status: 'DELETING' });
    await expect(get('1')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await get()).toMatchObject({ agentRuntimeVersion: '2' });
  });

  test('has a unique name', async () => {
    await expect(create()).rejects.toMatchObject({ name: 'ConflictException' });
  });

  test('is created once if the same request is repeated', async () => {
    const input = { agentRuntimeName: 'once', clientToken: 'a-token-of-at-least-33-characters-0001' };
    const [one, two] = [await create(input), await create(input)];
    expect(two.agentRuntimeId).toBe(one.agentRuntimeId);
  });

  test('is listed in pages', async () => {
    const first = await fixture.control.send(new ListAgentRuntimesCommand({ maxResults: 1 }));
    const second = await fixture.control.send(new ListAgentRuntimesCommand({ maxResults: 1, nextToken: first.nextToken }));
    expect([first, second].map(({ agentRuntimes }) => agentRuntimes!.map(({ agentRuntimeName }) => agentRuntimeName))).toEqual([['coder'], ['made_by_api']]);
    expect(second.nextToken).toBeUndefined();
  });

  test.each([
    ['CreateAgentRuntime', 'CREATE_FAILED', () => create({ agentRuntimeName: 'failing' }).then(({ agentRuntimeId }) => id = agentRuntimeId!)],
    ['UpdateAgentRuntime', 'UPDATE_FAILED', () => update()],
    ['DeleteAgentRuntime', 'DELETE_FAILED', () => deleteRuntime()],
  ] as const)('becomes, if a fault of %s fails its transition, %s', async (operation, status, change) => {
    await settle();
    fixture.server.faults.add({ operation, at: 'beforeStart', kind: 'failTransition' });
    await change();
    await settle();
    expect(await get()).toMatchObject({ status, failureReason: 'injected: failTransition' });
  });
});

test('what was in transition when the server stopped has completed when it starts again', async () => {
  await fixture.server.close();
  const restarted = await ServerFixture.start({}, { stateDirectory: fixture.stateDirectory });
  const runtime = await restarted.control.send(new GetAgentRuntimeCommand({ agentRuntimeId: id }));
  expect(runtime).toMatchObject({ status: 'READY', agentRuntimeName: 'made_by_api' });
  await restarted.close({ keepState: true });
});

describe('an endpoint', () => {
  beforeEach(async () => {
    await settle();
    await update({ environmentVariables: { A: 'c' } });
    await settle();
  });

  test('is CREATING, then READY at the given version', async () => {
    expect(await createEndpoint('v1', '1')).toMatchObject({ status: 'CREATING', endpointName: 'v1', targetVersion: '1' });
    expect(await endpoint('v1')).toMatchObject({ status: 'CREATING' });
    await settle();
    const { agentRuntimeArn, agentRuntimeEndpointArn, ...rest } = await endpoint('v1');
    expect(rest).toMatchObject({ status: 'READY', liveVersion: '1', targetVersion: '1', name: 'v1' });
    expect(agentRuntimeEndpointArn).toBe(`${agentRuntimeArn}/runtime-endpoint/v1`);
    expect((await fixture.command('echo "$A"', { agentRuntimeArn, qualifier: 'v1' })).stdout).toBe('b\n');
    expect((await fixture.command('echo "$A"', { agentRuntimeArn })).stdout).toBe('c\n');
  });

  test('stays at its version when the runtime is updated, and is at the latest if none was given', async () => {
    await createEndpoint('v1', '1');
    await createEndpoint('latest');
    await settle();
    await update();
    await settle();
    expect(await endpoint('v1')).toMatchObject({ liveVersion: '1' });
    expect(await endpoint('latest')).toMatchObject({ liveVersion: '2' });
  });

  test('serves its old version while it is UPDATING', async () => {
    await createEndpoint('moving', '1');
    await settle();
    expect(await updateEndpoint('moving', '2')).toMatchObject({ status: 'UPDATING', liveVersion: '1', targetVersion: '2' });
    const { agentRuntimeArn } = await get();
    expect((await fixture.command('echo "$A"', { agentRuntimeArn, qualifier: 'moving' })).stdout).toBe('b\n');
    await expect(updateEndpoint('moving', '1')).rejects.toMatchObject({ name: 'ConflictException' });
    await expect(deleteEndpoint('moving')).rejects.toMatchObject({ name: 'ConflictException' });
    await settle();
    expect(await endpoint('moving')).toMatchObject({ status: 'READY', liveVersion: '2' });
  });

  test('is DELETING, then gone, with its sessions; DEFAULT stays', async () => {
    await createEndpoint('v1', '1');
    await settle();
    const { agentRuntimeArn } = await get();
    await fixture.command('touch /mnt/workspace/file', { agentRuntimeArn, qualifier: 'v1' });
    expect(await deleteEndpoint('v1')).toMatchObject({ status: 'DELETING', endpointName: 'v1' });
    expect(await endpoint('v1')).toMatchObject({ status: 'DELETING' });
    await settle();
    await expect(endpoint('v1')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await createEndpoint('v1', '1');
    await settle();
    expect((await fixture.command('ls /mnt/workspace', { agentRuntimeArn, qualifier: 'v1' })).stdout).toBe('');
    await expect(deleteEndpoint('DEFAULT')).rejects.toMatchObject({ name: 'ConflictException' });
  });

  test('is one of at most ten', async () => {
    for (let i = 1; i < 10; i++) {
      await createEndpoint(`v${i}`, '1');
    }
    await expect(createEndpoint('v10', '1')).rejects.toMatchObject({ name: 'ServiceQuotaExceededException', $metadata: { httpStatusCode: 402 } });
    const { runtimeEndpoints } = await fixture.control.send(new ListAgentRuntimeEndpointsCommand({ agentRuntimeId: id }));
    expect(runtimeEndpoints).toHaveLength(10);
  });

  test('fails for a version or a runtime that does not exist, and for a name that is taken', async () => {
    await expect(createEndpoint('v9', '9')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(updateEndpoint('nowhere', '1')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(createEndpoint('DEFAULT')).rejects.toMatchObject({ name: 'ConflictException' });
  });

  test('keeps serving its version if its transition is made to fail', async () => {
    await createEndpoint('moving', '1');
    await settle();
    fixture.server.faults.add({ operation: 'UpdateAgentRuntimeEndpoint', at: 'beforeStart', kind: 'failTransition' });
    await updateEndpoint('moving', '2');
    await settle();
    expect(await endpoint('moving')).toMatchObject({ status: 'UPDATE_FAILED', liveVersion: '1', targetVersion: '2', failureReason: 'injected: failTransition' });
  });
});

describe('validation', () => {
  const storage = (mountPath: string) => ({ sessionStorage: { mountPath } });
  const accessPointArn = 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0';

  test.each<[string, Partial<CreateAgentRuntimeCommandInput>]>([
    ['a name with a hyphen', { agentRuntimeName: 'not-a-name' }],
    ['a name of 49 characters', { agentRuntimeName: 'n'.repeat(49) }],
    ['a name that starts with a digit', { agentRuntimeName: '1name' }],
    ['no role', { roleArn: 'nobody' }],
    ['an idle timeout of 59 s', { lifecycleConfiguration: { idleRuntimeSessionTimeout: 59 } }],
    ['a maximum lifetime of 28,801 s', { lifecycleConfiguration: { maxLifetime: 28_801 } }],
    ['an idle timeout beyond the maximum lifetime', { lifecycleConfiguration: { idleRuntimeSessionTimeout: 120, maxLifetime: 119 } }],
    ['51 environment variables', { environmentVariables: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`V${i}`, ''])) }],
    ['two session storages', { filesystemConfigurations: [storage('/mnt/one'), storage('/mnt/two')] }],
    ['a mount path outside /mnt', { filesystemConfigurations: [storage('/workspace')] }],
    ['a mount path of two levels', { filesystemConfigurations: [storage('/mnt/a/b')] }],
    ['two mount paths that differ only in a trailing slash', {
      filesystemConfigurations: [storage('/mnt/one'), { efsAccessPoint: { accessPointArn, mountPath: '/mnt/one/' } }],
      networkConfiguration: { networkMode: 'VPC', networkModeConfig: { subnets: ['subnet-00000001'], securityGroups: ['sg-00000001'] } },
    }],
    ['EFS without a VPC', { filesystemConfigurations: [{ efsAccessPoint: { accessPointArn, mountPath: '/mnt/one' } }] }],
    ['a volume without a capacity provider', { filesystemConfigurations: [{ capacityProviderVolume: { volumeName: 'v', mountPath: '/mnt/one' } }] }],
  ])('fails on %s', async (_, input) => {
    await expect(create({ agentRuntimeName: 'other', ...input })).rejects.toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  });

  test.each<[string, Partial<CreateAgentRuntimeCommandInput>]>([
    ['a name of 48 characters', { agentRuntimeName: 'n'.repeat(48) }],
    ['timeouts at their lower bound', { lifecycleConfiguration: { idleRuntimeSessionTimeout: 60, maxLifetime: 60 } }],
    ['timeouts at their upper bound', { lifecycleConfiguration: { idleRuntimeSessionTimeout: 28_800, maxLifetime: 28_800 } }],
    ['a mount path of 6 characters', { filesystemConfigurations: [storage('/mnt/a')] }],
    ['a mount path with a trailing slash', { filesystemConfigurations: [storage('/mnt/one/')] }],
    ['EFS in a VPC', {
      filesystemConfigurations: [{ efsAccessPoint: { accessPointArn, mountPath: '/mnt/one' } }],
      networkConfiguration: { networkMode: 'VPC', networkModeConfig: { subnets: ['subnet-00000001'], securityGroups: ['sg-00000001'] } },
    }],
  ])('accepts %s', async (_, input) => {
    expect(await create({ agentRuntimeName: 'other', ...input })).toMatchObject({ status: 'CREATING' });
  });
});

test('a request for no known operation gets the error for that', async () => {
  const reply = await fetch(`${fixture.server.endpoint}/harnesses/`, { method: 'POST' });
  expect([reply.status, reply.headers.get('x-amzn-errortype')]).toEqual([404, 'UnknownOperationException']);
});
