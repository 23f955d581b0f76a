/** Compares the templates of the official construct and of ours: each difference must be intended. */
import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { AgentRuntime } from '../../src';
import { IMAGE, newStack } from '../support/stacks';

type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;
type Props = (scope: Construct) => Partial<agentcore.RuntimeProps>;

const CASES: [name: string, props: Props][] = [
  ['only an artifact', () => ({})],
  ['a name', () => ({ runtimeName: 'coder' })],
  ['an image from a repository', (scope) => ({
    agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromEcrRepository(new ecr.Repository(scope, 'Repository'), '1'),
  })],
  ['code from a bucket', () => ({
    agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromS3(
      { bucketName: 'code', objectKey: 'agent.zip' }, agentcore.AgentCoreRuntime.PYTHON_3_13, ['agent.py'],
    ),
  })],
  ['a VPC', (scope) => ({
    networkConfiguration: agentcore.RuntimeNetworkConfiguration.usingVpc(scope, { vpc: new ec2.Vpc(scope, 'Vpc', { maxAzs: 1, natGateways: 0 }) }),
  })],
  ['a JWT authorizer', () => ({
    authorizerConfiguration: agentcore.RuntimeAuthorizerConfiguration.usingJWT('https://id.example.com/.well-known/openid-configuration', ['client']),
  })],
  ['traces and logs', (scope) => ({
    tracingEnabled: true,
    loggingConfigs: [{
      logType: agentcore.LogType.APPLICATION_LOGS,
      destination: agentcore.LoggingDestination.cloudWatchLogs(new logs.LogGroup(scope, 'Logs')),
    }],
  })],
  ['all plain props', () => ({
    description: 'fixes bugs',
    environmentVariables: { MODE: 'fix' },
    lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(5), maxLifetime: Duration.hours(1) },
    protocolConfiguration: agentcore.ProtocolType.MCP,
    requestHeaderConfiguration: { allowlistedHeaders: ['Authorization'] },
    tags: { team: 'tools' },
  })],
  ['a given role', (scope) => ({
    executionRole: new iam.Role(scope, 'Role', { assumedBy: new iam.ServicePrincipal('bedrock-agentcore.amazonaws.com') }),
  })],
];

function resourcesOf(make: typeof agentcore.Runtime | typeof AgentRuntime, props: Props): Resources {
  const stack = newStack();
  const runtime = new make(stack, 'Agent', { agentRuntimeArtifact: IMAGE, ...props(stack) });
  runtime.addEndpoint('live');
  return Template.fromStack(stack).toJSON().Resources;
}

/** Returns the resources without the intended differences: the role's trust policy, and the statements of the baseline, which alone have ids. */
function withoutBaseline(resources: Resources): Resources {
  return Object.fromEntries(Object.entries(resources).map(([id, resource]) => {
    const properties = { ...resource.Properties };
    if (resource.Type === 'AWS::IAM::Role') delete properties.AssumeRolePolicyDocument;
    if (resource.Type === 'AWS::IAM::Policy') properties.PolicyDocument = statementsOf(resource).filter(({ Sid }) => Sid === undefined);
    return [id, { ...resource, Properties: properties }];
  }));
}

function statementsOf({ Properties }: Resources[string]): { Sid?: string; Action: string | string[] }[] {
  return (Properties.PolicyDocument as { Statement: { Action: string; Sid?: string }[] }).Statement;
}

describe.each(CASES)('with %s', (_, props) => {
  const official = resourcesOf(agentcore.Runtime, props);
  const ours = resourcesOf(AgentRuntime, props);

  test('the resources, their logical ids and types are those of the official runtime', () => {
    expect(Object.entries(ours).map(([id, { Type }]) => [id, Type])).toEqual(Object.entries(official).map(([id, { Type }]) => [id, Type]));
  });

  test('only the trust policy and the baseline of the execution role differ', () => {
    expect(withoutBaseline(ours)).toEqual(withoutBaseline(official));
  });
});

test('a runtime has three resources, with the logical ids of the official one', () => {
  const stack = newStack();
  new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE });

  expect(Object.keys(Template.fromStack(stack).toJSON().Resources)).toEqual([
    'AgentExecutionRoleA67A0453', 'AgentExecutionRoleDefaultPolicyC6FA4EDA', 'Agent255F68E9',
  ]);
});

test('a given role gets exactly what the official runtime would give it', () => {
  const props = CASES[CASES.length - 1][1];

  expect(resourcesOf(AgentRuntime, props)).toEqual(resourcesOf(agentcore.Runtime, props));
});

test('the baseline has every action that the official one has', () => {
  const actionsOf = (resources: Resources) => Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .flatMap((policy) => statementsOf(policy).flatMap(({ Action }) => Action))
    .sort();

  expect(actionsOf(resourcesOf(AgentRuntime, () => ({})))).toEqual(actionsOf(resourcesOf(agentcore.Runtime, () => ({}))));
});
