import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AgentRuntime, CodingLoop, CodingLoopProps, Commit, Gate, GitRepository, Mount, RunArtifacts } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

function loopIn(stack: Stack, props: Partial<CodingLoopProps> = {}, id = 'Loop'): CodingLoop {
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, id, { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props });
}

/** Returns the input that the rule gives the driver, with a text in place of what is known only when it is deployed. */
function templateOf(stack: Stack): string {
  const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule'));
  const parts = Properties.Targets[0].InputTransformer.InputTemplate['Fn::Join'][1] as unknown[];
  return parts.map((part) => typeof part === 'string' ? part : 'a'.repeat(200)).join('');
}

/** What EventBridge takes: a template of 8,192 characters, whose only placeholder is the one that has a path. */
test.each<[string, CodingLoopProps['environment']]>([
  ['long', Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`NAME_${index}`, 'x'.repeat(250)]))],
  ['like a placeholder', { OPTIONS: '<detail>', TEXT: 'a < b > c' }],
])('the rule for runs that are cut off can be deployed if values of "environment" are %s', (_, environment) => {
  const stack = newStack();
  loopIn(stack, { environment });
  const template = templateOf(stack);
  expect(template.length).toBeLessThanOrEqual(8_192);
  expect(template.match(/<.*?>/g)).toEqual(['<detail>']);
  // Commands get all of them.
  const definition = JSON.stringify(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'));
  for (const name of Object.keys(environment!)) expect(definition).toContain(name);
});

test('fails for other text that EventBridge would take for a placeholder', () => {
  const artifacts = RunArtifacts.inBucket(s3.Bucket.fromBucketName(newStack(), 'Bucket', 'bucket'), { prefix: 'runs/<a>/' });
  const message = (text: string) => `"${text}" must not contain "<" or ">", which are placeholders in the input of the rule that stops sessions: change it`;
  expect(messageOf(() => loopIn(newStack(), { artifacts }, 'Fix<T>'))).toBe(`${message('Stack/Fix<T>')}\n${message('runs/<a>/')}\n  at Stack/Fix<T>`);
  expect(() => loopIn(newStack(), { commit: Commit.push({ authorName: 'Fix & Co' }) })).not.toThrow();
});
