import { Stack } from 'aws-cdk-lib';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, LoopDashboard, Mount, RunArtifacts, RunBrake, RunBudget, RunEvents } from '../../src';
import { IMAGE, newStack } from '../support/stacks';

function loopIn(stack: Stack, props: Partial<CodingLoopProps> = {}): CodingLoop {
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props });
}

const findingsOf = (stack: Stack) => new AwsSolutionsChecks(stack).validateScope(stack).violations.map(({ ruleName }) => ruleName.replace(/<\w+?(?=Artifacts)\w+\.Arn>/, '<bucket>'));

test('what people operate a loop with adds two findings of cdk-nag: the files of runs have names, and a bucket has no access logs', () => {
  const [plain, stack] = [newStack(), newStack()];
  loopIn(plain);
  const brake = new RunBrake(stack, 'Brake');
  const loop = loopIn(stack, {
    brake, artifacts: RunArtifacts.inBucket(), events: RunEvents.onDefaultBus(), budget: RunBudget.of({ usd: 5 }), maxConcurrentRuns: 5,
  });
  const topic = new sns.Topic(stack, 'Topic', { enforceSSL: true });
  loop.notifyOnFinished(topic);
  const alarms = loop.alarms.addAll({ usdPerDay: 5, actions: [new actions.SnsAction(topic), brake] });
  new LoopDashboard(stack, 'Dashboard', { loops: [loop], alarms });
  const known = findingsOf(plain);
  expect(findingsOf(stack).filter((finding) => !known.includes(finding)).sort()).toEqual([
    'AwsSolutions-IAM5[Resource::<bucket>/*]',
    // A bucket for the logs of this bucket is the user's: they pass a bucket of their own.
    'AwsSolutions-S1',
  ]);
});
