import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetAgentRuntimeCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { LocalDeployment } from '../../rehearsal/deployment';
import { AgentRuntime, AgentRuntimeProps, Mount } from '../../src';
import { ServerFixture } from '../support/agentcore';

let fixture: ServerFixture;
const directories: string[] = [];
beforeEach(async () => {
  fixture = await ServerFixture.start();
});
afterEach(async () => {
  await fixture.close();
  directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true }));
});

/** The API's description of a runtime after its stack was deployed. */
async function deployed(props: Partial<AgentRuntimeProps> = {}, change: (resource: CfnRuntime, stack: Stack) => void = () => undefined) {
  const outdir = mkdtempSync(join(tmpdir(), 'assembly-'));
  directories.push(outdir);
  const app = new App({ outdir });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'agent',
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
    ...props,
  });
  change(runtime.node.findChild('Resource') as CfnRuntime, stack);
  const deployment = LocalDeployment.start({ assembly: app.synth().directory, server: fixture.server });
  const [arn] = deployment.runtimes.values();
  return fixture.control.send(new GetAgentRuntimeCommand({ agentRuntimeId: arn.split('/').pop()! }));
}

test('an equal template creates no version, nor do tags', async () => {
  await deployed({ description: 'what it does', environmentVariables: { Model: 'one' } });
  const { agentRuntimeVersion } = await deployed({ description: 'what it does', environmentVariables: { Model: 'one' }, tags: { team: 'mine' } });
  expect(agentRuntimeVersion).toBe('1');
});

const CHANGES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Description: { Description: 'another' },
  NetworkConfiguration: { NetworkConfiguration: { NetworkMode: 'VPC', NetworkModeConfig: { Subnets: ['subnet-1'], SecurityGroups: ['sg-1'] } } },
  RoleArn: { RoleArn: 'arn:aws:iam::123456789012:role/another' },
  ProtocolConfiguration: { ProtocolConfiguration: 'MCP' },
  AuthorizerConfiguration: { AuthorizerConfiguration: { CustomJWTAuthorizer: { DiscoveryUrl: 'https://example.com/.well-known/openid-configuration', AllowedClients: ['app'] } } },
  RequestHeaderConfiguration: { RequestHeaderConfiguration: { RequestHeaderAllowlist: ['Authorization'] } },
  AgentRuntimeArtifact: { AgentRuntimeArtifact: { CodeConfiguration: { Code: { S3: { Bucket: 'code', Prefix: 'agent.zip' } }, EntryPoint: ['main.py'], Runtime: 'PYTHON_3_13' } } },
};

test.each(Object.keys(CHANGES))('a change of %s creates a version', async (name) => {
  const first = await deployed();
  const changed = await deployed({}, (resource) => Object.entries(CHANGES[name]).forEach(([property, value]) => resource.addOverride(`Properties.${property}`, value)));
  expect([first.agentRuntimeVersion, changed.agentRuntimeVersion]).toEqual(['1', '2']);
});

test('a runtime is as the API would describe it', async () => {
  const change = (resource: CfnRuntime) => ['NetworkConfiguration', 'ProtocolConfiguration', 'AuthorizerConfiguration'].forEach((name) =>
    resource.addOverride(`Properties.${name}`, CHANGES[name][name]));
  expect(await deployed({ environmentVariables: { Model: 'one' } }, change)).toMatchObject({
    roleArn: expect.stringMatching(/^arn:aws:iam::123456789012:role\/Agent/),
    environmentVariables: { Model: 'one' },
    filesystemConfigurations: [{ sessionStorage: { mountPath: '/mnt/workspace' } }],
    networkConfiguration: { networkMode: 'VPC', networkModeConfig: { subnets: ['subnet-1'], securityGroups: ['sg-1'] } },
    protocolConfiguration: { serverProtocol: 'MCP' },
    authorizerConfiguration: { customJWTAuthorizer: { allowedClients: ['app'] } },
  });
});

test('a role that exists only in the account is accepted', async () => {
  const change = (resource: CfnRuntime, stack: Stack) => resource.addOverride('Properties.RoleArn', { Ref: new CfnParameter(stack, 'RoleParameter').logicalId });
  expect((await deployed({}, change)).agentRuntimeVersion).toBe('1');
});
