import { Stack } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { efsAccessPoint, Network, S3Files } from './file-systems';
import { endpointNamed } from './stacks';
import {
  AgentRuntime, AgentTurn, BedrockModel, CodingLoop, Forge, Gate, GitRepository, InvokeAgent, Mount, RuntimeGrants, RuntimeRollout, SessionDriver,
  SmokeTest, StopSession,
} from '../../src';

/** Uses each option that brings a permission. */
export function everythingIn(stack: Stack): void {
  const network = new Network(stack, 'Network');
  const encryptionKey = new kms.Key(stack, 'Key');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'everything',
    agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromEcrRepository(new ecr.Repository(stack, 'Repository'), '1'),
    networkConfiguration: network.configuration,
    mounts: [
      Mount.sessionStorage('/mnt/workspace'),
      Mount.fromEfsAccessPoint(efsAccessPoint(stack, 'Efs', network.vpc, { allowAnonymousAccess: false }), '/mnt/efs'),
      Mount.fromEfsAccessPoint(efsAccessPoint(stack, 'ReadOnlyEfs', network.vpc, { allowAnonymousAccess: false }), '/mnt/efs-read-only', { readOnly: true }),
      Mount.fromS3FilesAccessPoint(new S3Files(stack, 'S3', network.vpc).accessPoint, '/mnt/s3'),
      Mount.fromS3FilesAccessPoint(new S3Files(stack, 'ReadOnlyS3', network.vpc).accessPoint, '/mnt/s3-read-only', { readOnly: true }),
    ],
  });
  for (const model of [
    BedrockModel.foundationModel('anthropic.claude-sonnet-4-20250514-v1:0'),
    BedrockModel.inferenceProfile('eu.anthropic.claude-sonnet-4-20250514-v1:0'),
    BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'),
    BedrockModel.applicationInferenceProfile(`arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/${'a'.repeat(12)}`, {
      modelIds: ['anthropic.claude-sonnet-4-20250514-v1:0'],
    }),
  ]) runtime.grantInvokeModel(model);
  new AgentRuntime(stack, 'OfCode', {
    runtimeName: 'of_code',
    agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromS3(
      { bucketName: new s3.Bucket(stack, 'Bucket', { enforceSSL: true }).bucketName, objectKey: 'agent.zip' }, agentcore.AgentCoreRuntime.PYTHON_3_13, ['agent.py']),
  });

  const rollout = new RuntimeRollout(stack, 'Rollout', {
    runtime,
    smokeTests: [SmokeTest.command('true'), SmokeTest.invoke({})],
    deleteUnusedVersions: true,
    drainStateMachineNames: ['fix'],
    encryptionKey,
  });
  const driver = new SessionDriver(stack, 'Driver', { encryptionKey });
  const loop = new CodingLoop(stack, 'Fix', {
    runtime,
    endpoint: rollout.endpoint,
    driver,
    stateMachineName: 'fix',
    repository: GitRepository.fromInput(),
    gates: [Gate.command('test', 'npm test')],
    turn: AgentTurn.callback(),
    encryptionKey,
  });
  const forge = Forge.basic(new secretsmanager.Secret(stack, 'Token', { encryptionKey }), {
    readSecret: new secretsmanager.Secret(stack, 'ReadToken'),
    vpc: network.vpc,
  });
  new CodingLoop(stack, 'Publish', {
    runtime,
    driver,
    mountPath: '/mnt/workspace',
    repository: GitRepository.fromUrl('https://git.example.com/octo/shop.git', { forge }),
    gates: [Gate.command('test', 'npm test')],
  });
  loop.stateMachine.grantTaskResponse(runtime);
  const person = new iam.Role(stack, 'Person', { assumedBy: new iam.AccountRootPrincipal() });
  loop.grantStartExecution(person);
  const live = endpointNamed('live');
  for (const options of [{}, { endpoint: live }]) {
    const grants = RuntimeGrants.fromRuntime(runtime);
    grants.invokeRuntime(person, options);
    grants.invokeRuntimeForUser(person, options);
    grants.invokeCommand(person, options);
    grants.invokeCommandShell(person, options);
    grants.stopSession(person, options);
  }

  // Uses the stack's own driver on one endpoint.
  const address = { runtime, endpoint: live, sessionId: sfn.JsonPath.stringAt('$.session') };
  new sfn.StateMachine(stack, 'Tasks', {
    definitionBody: sfn.DefinitionBody.fromChainable(
      new InvokeAgent(stack, 'Ask', { ...address, payload: sfn.TaskInput.fromObject({ prompt: 'go' }), resultPath: sfn.JsonPath.DISCARD })
        .next(new StopSession(stack, 'Stop', address))),
  });
}
