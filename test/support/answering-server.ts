import { DeleteAgentRuntimeEndpointCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import { ServerFixture } from './agentcore';
import { directControlPlane } from './direct-control-plane';
import { invokeTest, RolloutStack, RolloutStackOptions, Template } from './rollout-stack';
import { STUB_SANDBOXES } from './stub-sandbox';

/** Starts a server whose runtimes answer each invoke with their variable `ANSWER`, at once and without a sandbox, and creates stacks on it. */
export async function startAnsweringServer() {
  const fixture = await ServerFixture.start({ name: 'another' }, {
    transition: 5_000,
    sandbox: STUB_SANDBOXES,
    agentFor: (_, { configuration }) => ({ handler: () => configuration.environmentVariables!.ANSWER }),
  });
  const newStack = (options: RolloutStackOptions = {}) => (
    new RolloutStack(fixture, { newControl: () => directControlPlane(fixture.server, fixture.newControl()), ...options }));
  return { fixture, newStack };
}

/** Returns a template whose runtime passes its test if it answers `pong`; another number makes another configuration. */
export function build(number: number, rollout: Template['rollout'] = {}, answer = 'pong'): Template {
  return { environment: { BUILD: `${number}`, ANSWER: answer }, rollout: { SmokeTests: [invokeTest({ prompt: 'ping' }, 'pong')], ...rollout } };
}

/** Deletes an endpoint as a person would who does not know of the rollout. */
export async function deleteByHand({ control, clock }: ServerFixture, stack: RolloutStack, endpointName: string): Promise<void> {
  await control.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: stack.deployed!.runtimeId, endpointName }));
  await clock.advance(60_000);
}
