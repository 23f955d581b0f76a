/** A loop with everything for the people who operate it: limits, a brake that an alarm pulls, files of runs, events, alarms and a dashboard. */
import { join } from 'path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { acknowledge, acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import {
  AgentRuntime, CodingLoop, Gate, GitRepository, LoopDashboard, Mount, RunArtifacts, RunBrake, RunBudget, RunEvents, SessionDriver,
} from '../src';

const app = portableApp();
const stack = new Stack(app, 'OperatedLoopIntegStack');
const runtimeName = 'integ_operated_loop';
const stateMachineName = 'integ-operated-loop';

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(__dirname, '../examples/persistent-workspace/agent'), { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});
const brake = new RunBrake(stack, 'Brake');
const loop = new CodingLoop(stack, 'Loop', {
  runtime,
  stateMachineName,
  repository: GitRepository.fromUrl('https://example.com/app.git'),
  gates: [Gate.command('test', 'npm test')],
  artifacts: RunArtifacts.inBucket(undefined, { removalPolicy: RemovalPolicy.DESTROY, expiration: Duration.days(30) }),
  events: RunEvents.onDefaultBus(),
  budget: RunBudget.of({ turns: 3, agentMinutes: 90, sessionHours: 6, usd: 20 }),
  brake,
  maxConcurrentRuns: 5,
  queueTimeout: Duration.hours(1),
});

const people = new sns.Topic(stack, 'People', { enforceSSL: true });
people.grantPublish(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
loop.notifyOnFinished(people);
const notify = new actions.SnsAction(people);
const alarms = [...loop.alarms.addAll({ actions: [notify] }), loop.alarms.costPerDay(50, { actions: [notify, brake] })];
new LoopDashboard(stack, 'Dashboard', { loops: [loop], alarms });

acknowledgeExecutionRole(runtime, runtimeName);
acknowledge(SessionDriver.getOrCreate(stack), {
  [`IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${stateMachineName}:*]`]: 'The executions of this state machine.',
  [`IAM5[Resource::<${stack.getLogicalId(runtime.node.defaultChild as CfnRuntime)}.AgentRuntimeArn>/*]`]:
    'Sessions are reached on every endpoint of this one runtime: sessions of earlier runs belong to earlier endpoints.',
  [`IAM5[Resource::<${stack.getLogicalId(loop.artifactsBucket!.node.defaultChild as CfnBucket)}.Arn>/*]`]: 'The files of runs begin with the name of the execution.',
  'IAM5[Resource::*]': 'X-Ray knows no resource for PutTraceSegments and PutTelemetryRecords.',
});
acknowledge(loop, {
  'IAM5[Resource::*]': 'Step Functions asks for log delivery of the whole account, and X-Ray knows no resources.',
  'SF1': 'Errors are logged; all events would hold prompts. The history of each execution has them.',
  'S1': 'A bucket for the access logs of this bucket belongs to the user, who passes a bucket of their own.',
});
synthAndCheck(app, stack);
