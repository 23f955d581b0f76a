import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import {
  AgentImage, AgentRuntime, AgentTurn, BedrockModel, CodingAgent, CodingWorkspace, type CodingWorkspaceProps, DevTool, Gate, GitRepository, Mount,
  RuntimeRollout, SmokeTest,
} from '../../src';
import { newStack } from '../support/stacks';

const agent = CodingAgent.claudeCode({ model: BedrockModel.inferenceProfile('eu.anthropic.claude-sonnet-4-20250514-v1:0') });

/** The definitions of all state machines, as JSON. */
const machinesOf = (stack: Stack) => JSON.stringify(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine')).replace(/\\+"/g, '"');

const PROPS = { agent, repository: GitRepository.fromUrl('https://git.example.com/shop.git'), gates: [Gate.command('test', 'npm test')] };

function workspaceWith(props: Partial<CodingWorkspaceProps> = {}, stack = newStack()) {
  const workspace = new CodingWorkspace(stack, 'Shop', { ...PROPS, ...props });
  return { stack, workspace };
}

test('a workspace is a runtime, its rollout and a loop on its endpoint', () => {
  const { stack, workspace } = workspaceWith({ tools: [DevTool.RIPGREP], bootstrap: ['npm ci'] });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::BedrockAgentCore::Runtime', 1);
  template.hasResourceProperties('AWS::BedrockAgentCore::Runtime', { FilesystemConfigurations: [{ SessionStorage: { MountPath: '/mnt/workspace' } }] });
  template.hasResourceProperties('Custom::RuntimeRollout', {
    SmokeTests: [Match.objectLike({ Name: 'tools' }), Match.objectLike({ Name: 'agent' }), Match.objectLike({ Name: 'writable /mnt/workspace' })],
  });
  const states = machinesOf(stack);
  expect(states).toContain('workbench-agent turn');
  expect(states).toContain('npm ci');
  expect(states).toContain('"endpointName"');
  expect(workspace.node.defaultChild).toBe(workspace.loop);
});

test('a workspace uses the runtime, the rollout and the turn that are given', () => {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Mine', { agentRuntimeArtifact: AgentImage.forAgent(agent), mounts: [Mount.sessionStorage('/mnt/mine')] });
  const rollout = new RuntimeRollout(stack, 'Rollout', { runtime, smokeTests: [SmokeTest.agent()] });
  const { workspace } = workspaceWith({ runtime, rollout, turn: AgentTurn.command('mine') }, stack);
  expect([workspace.runtime, workspace.rollout]).toEqual([runtime, rollout]);
  expect(workspace.node.children).toEqual([workspace.loop]);
  expect(machinesOf(stack)).toContain('"command":"mine"');
  Template.fromStack(stack).resourceCountIs('AWS::BedrockAgentCore::Runtime', 1);
});

test('a workspace fails with a runtime whose sessions keep nothing', () => {
  const stack = newStack();
  const runtime = new Runtime(stack, 'Mine', { agentRuntimeArtifact: AgentImage.forAgent(agent), environmentVariables: agent.environment });
  expect(() => workspaceWith({ runtime }, stack)).toThrow('"runtime" must have session storage');
});

test('a workspace fails with the rollout of another runtime, whose endpoints its own does not have', () => {
  const stack = newStack();
  const [mine, other] = ['Mine', 'Other'].map((id) => new AgentRuntime(stack, id, {
    agentRuntimeArtifact: AgentImage.forAgent(agent), mounts: [Mount.sessionStorage('/mnt/mine')],
  }));
  const rollout = new RuntimeRollout(stack, 'Rollout', { runtime: other, smokeTests: [SmokeTest.agent()] });
  expect(() => new CodingWorkspace(stack, 'A', { ...PROPS, rollout })).toThrow('"rollout" must be that of "runtime", which is missing: pass the runtime of the rollout, too');
  expect(() => new CodingWorkspace(stack, 'B', { ...PROPS, rollout, runtime: mine })).toThrow('"rollout" must be that of "runtime", not of another one');
});
