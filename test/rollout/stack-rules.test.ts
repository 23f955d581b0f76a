import { App, CfnOutput, NestedStack, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AgentRuntime, RuntimeRollout } from '../../src';
import { IMAGE } from '../support/stacks';

let app: App;
let stack: Stack;

beforeEach(() => {
  app = new App();
  stack = new Stack(app, 'Stack');
});

const newRuntime = (scope: Construct) => new AgentRuntime(scope, 'Agent', { agentRuntimeArtifact: IMAGE });

describe('a rollout in a different stack from its runtime', () => {
  test('fails at synth, since the version that it would import could not change', () => {
    const runtime = newRuntime(new Stack(app, 'Other'));

    expect(() => new RuntimeRollout(stack, 'Rollout', { runtime })).toThrow('"runtime" must be in the stack of the rollout, "Stack", not in "Other"');
  });

  test('works if both are nested in one stack, which passes the version as a parameter', () => {
    const runtime = newRuntime(new NestedStack(stack, 'One'));
    new RuntimeRollout(new NestedStack(stack, 'Two'), 'Rollout', { runtime });

    expect(() => app.synth()).not.toThrow();
  });
});

describe('an attribute of a rollout', () => {
  test.each(['endpoint', 'version'] as const)('fails at synth if another stack uses it: %s', (prop) => {
    const rollout = new RuntimeRollout(stack, 'Rollout', { runtime: newRuntime(stack) });
    new CfnOutput(new Stack(app, 'Other'), 'Output', { value: `is ${prop === 'endpoint' ? rollout.endpoint.endpointName : rollout.version}` });

    expect(() => app.synth()).toThrow(`"${prop}" must not be used in another stack`);
  });

  test('can be used in the rollout\'s own stack and in its nested stacks, next to other exports', () => {
    const rollout = new RuntimeRollout(stack, 'Rollout', { runtime: newRuntime(stack) });
    new CfnOutput(stack, 'Output', { value: rollout.endpoint.endpointName });
    new CfnOutput(new NestedStack(stack, 'Nested'), 'Output', { value: rollout.version });
    new CfnOutput(new Stack(app, 'Other'), 'Output', { value: newRuntime(new Construct(stack, 'More')).agentRuntimeArn });

    expect(() => app.synth()).not.toThrow();
  });
});
