import { Template } from 'aws-cdk-lib/assertions';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../../../src';
import { describeLoop, LoopDescription } from '../../../src/journal/loop-description';
import { costBoundOf } from '../../../src/journal/report/cost-bound';
import { costOf } from '../../../src/prices/constants';
import { definitionsOf } from '../../support/definitions';
import { IMAGE, newStack } from '../../support/stacks';

function loopWith(maxRepairs: number): LoopDescription {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  new CodingLoop(stack, 'Fix', { runtime, maxRepairs, repository: GitRepository.fromInput(), gates: [Gate.command('test', 'npm test')] });
  const [[id, definition]] = Object.entries(definitionsOf(Template.fromStack(stack).toJSON()));
  return describeLoop(id, definition as LoopDescription['definition'])!;
}

test('a run costs at most as much as its session, its verifications and its functions for the whole timeout', () => {
  const loop = loopWith(3);
  const seconds = loop.definition.TimeoutSeconds!;

  const transitions = 12 + 3 * 7; // of a green run, and of each repair

  expect(costBoundOf(loop)).toBeGreaterThan(costOf({ sessionSeconds: seconds, verificationSeconds: seconds, functionSeconds: seconds, transitions }));
});

test('more repairs cost more, and a budget costs less', () => {
  expect(costBoundOf(loopWith(5))!).toBeGreaterThan(costBoundOf(loopWith(1))!);
  expect(costBoundOf(loopWith(5), { usd: 0.1 })).toBe(0.1);
  expect(costBoundOf(loopWith(5), { sessionSeconds: 60 })!).toBeLessThan(costBoundOf(loopWith(5))!);
});

test('a definition without a timeout has no bound', () => {
  const loop = loopWith(1);
  expect(costBoundOf({ ...loop, definition: { ...loop.definition, TimeoutSeconds: undefined } })).toBeUndefined();
});
