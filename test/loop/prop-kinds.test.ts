import * as s3 from 'aws-cdk-lib/aws-s3';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount } from '../../src';
import { IMAGE, newStack } from '../support/stacks';

const SECRET = 'https://user:password@example.com/a.git';

/** Plain JavaScript passes anything. */
function make(props: object): CodingLoop {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  const known = { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'npm test')] };
  return new CodingLoop(stack, 'Loop', { ...known, ...props } as CodingLoopProps);
}

test.each<[string, object, string]>([
  ['a URL as its repository', { repository: SECRET }, '"repository" must be a GitRepository, such as GitRepository.fromUrl(\'https://…\'), not a string'],
  ['no repository', { repository: undefined }, '"repository" must be a GitRepository, such as GitRepository.fromUrl(\'https://…\'), not undefined'],
  ['no runtime', { runtime: undefined }, '"runtime" must be an AgentRuntime, such as new AgentRuntime(…), not undefined'],
  ['a command as a gate', { gates: [Gate.command('lint', 'x'), 'npm test'] }, '"gates[1]" must be a Gate, such as Gate.command(\'test\', \'npm test\'), not a string'],
  ['one gate instead of an array', { gates: Gate.command('lint', 'x') }, '"gates" must be an array, such as [Gate.command(\'test\', \'npm test\')], not a CommandGate'],
  ['an object as its budget', { budget: { usd: 20 } }, '"budget" must be a RunBudget, such as RunBudget.of({ usd: 20 }), not a plain object'],
  ['an array as its commit', { commit: [] }, '"commit" must be a Commit, such as Commit.push(), not an array'],
  ['null as its events', { events: null }, '"events" must be RunEvents, such as RunEvents.onDefaultBus(), not null'],
  ['a bucket as its artifacts', { artifacts: new s3.Bucket(newStack(), 'Bucket') }, '"artifacts" must be RunArtifacts, such as RunArtifacts.inBucket(), not a Bucket'],
])('fails for %s', (_, props, message) => {
  expect(() => make(props)).toThrow(`${message}\n`);
});

test('reports all of them at once, without the values, which may be secrets', () => {
  const faulty = () => make({ repository: SECRET, turn: 'claude -p', verification: true, protectedPaths: ['test'], brake: 'name' });

  expect(faulty).toThrow(/"repository" .*\n"turn" .*\n"verification" .*, not a boolean\n"protectedPaths" .*, not an array\n"brake" .*\n {2}at Stack\/Loop$/);
  expect(faulty).toThrow(expect.not.objectContaining({ message: expect.stringContaining('password') }));
});
