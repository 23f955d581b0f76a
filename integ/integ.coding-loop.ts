/** A loop that invokes its agent, runs two gates and pushes; the data that Step Functions stores is encrypted. */
import { join } from 'path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as kms from 'aws-cdk-lib/aws-kms';
import { acknowledge, acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, SessionDriver } from '../src';

const app = portableApp();
const stack = new Stack(app, 'CodingLoopIntegStack');
const runtimeName = 'integ_coding_loop';

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(__dirname, '../examples/persistent-workspace/agent'), { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});
const encryptionKey = new kms.Key(stack, 'Key', { enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY });
const loop = new CodingLoop(stack, 'Loop', {
  runtime,
  encryptionKey,
  repository: GitRepository.fromUrl('https://example.com/app.git'),
  bootstrap: ['npm ci'],
  gates: [Gate.command('lint', 'npm run lint'), Gate.command('test', 'npm test', { timeout: Duration.minutes(40) })],
});

acknowledgeExecutionRole(runtime, runtimeName);
const states = 'IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:';
const named = 'CloudFormation names the state machine after the function is made; "stateMachineName" would narrow it to this one.';
acknowledge(SessionDriver.getOrCreate(stack), {
  [`${states}execution:*:*]`]: named,
  [`${states}stateMachine:*]`]: named,
  [`IAM5[Resource::<${stack.getLogicalId(runtime.node.defaultChild as CfnRuntime)}.AgentRuntimeArn>/*]`]:
    'Sessions are reached on every endpoint of this one runtime: sessions of earlier runs belong to earlier endpoints.',
  'IAM5[Resource::*]': 'X-Ray knows no resource for PutTraceSegments and PutTelemetryRecords.',
});
acknowledge(loop, {
  'IAM5[Resource::*]': 'Step Functions asks for log delivery of the whole account, and X-Ray knows no resources.',
  'SF1': 'Errors are logged; all events would hold prompts. The history of each execution has them, encrypted by the key.',
});
synthAndCheck(app, stack);
