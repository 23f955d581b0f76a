import { Fn } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { AgentRuntime, RuntimeGrantOptions, RuntimeGrants } from '../../src';
import { endpointNamed, IMAGE, messageOf, newStack } from '../support/stacks';

const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789';

const imported = (scope: Construct) => agentcore.Runtime.fromAgentRuntimeAttributes(scope, 'Agent', {
  agentRuntimeArn: ARN, agentRuntimeId: 'agent-0123456789', agentRuntimeName: 'agent', roleArn: 'arn:aws:iam::123456789012:role/agent',
});
const ours = (scope: Construct) => new AgentRuntime(scope, 'Agent', { agentRuntimeArtifact: IMAGE });
const official = (scope: Construct) => new agentcore.Runtime(scope, 'Agent', { agentRuntimeArtifact: IMAGE });

type Channel = (runtime: agentcore.IBedrockAgentRuntime, grantee: iam.IGrantable, options?: RuntimeGrantOptions) => iam.Grant;
const CHANNELS: [action: string, channel: Channel][] = [
  ['InvokeAgentRuntime', (runtime, ...rest) => RuntimeGrants.fromRuntime(runtime).invokeRuntime(...rest)],
  ['InvokeAgentRuntimeForUser', (runtime, ...rest) => RuntimeGrants.fromRuntime(runtime).invokeRuntimeForUser(...rest)],
  ['InvokeAgentRuntimeCommand', (runtime, ...rest) => RuntimeGrants.fromRuntime(runtime).invokeCommand(...rest)],
  ['InvokeAgentRuntimeCommandShell', (runtime, ...rest) => RuntimeGrants.fromRuntime(runtime).invokeCommandShell(...rest)],
  ['StopRuntimeSession', (runtime, ...rest) => RuntimeGrants.fromRuntime(runtime).stopSession(...rest)],
];
const METHODS: [action: string, channel: Channel][] = [
  ['InvokeAgentRuntimeCommand', (runtime, grantee) => (runtime as AgentRuntime).grantInvokeCommand(grantee)],
  ['InvokeAgentRuntimeCommandShell', (runtime, grantee) => (runtime as AgentRuntime).grantInvokeCommandShell(grantee)],
  ['StopRuntimeSession', (runtime, grantee) => (runtime as AgentRuntime).grantStopSession(grantee)],
];

/** The one statement that the grant adds to a role, and what the grant itself returns. */
function granted(make: (scope: Construct) => agentcore.IBedrockAgentRuntime, channel: Channel, options?: RuntimeGrantOptions) {
  const stack = newStack();
  const runtime = make(stack);
  const caller = new iam.Role(stack, 'Caller', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  const { success } = channel(runtime, caller, options);
  const statements = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith('Caller'))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
  return { success, statements, arn: stack.resolve(runtime.agentRuntimeArn) };
}

const under = (arn: unknown, rest: string) => typeof arn === 'string' ? `${arn}/${rest}` : { 'Fn::Join': ['', [arn, `/${rest}`]] };

describe.each([['ours', ours], ['official', official], ['imported', imported]])('a runtime that is %s', (_, make) => {
  test.each(CHANNELS)('%s is granted alone, on the runtime and everything under it', (action, channel) => {
    const { success, statements, arn } = granted(make, channel);

    expect(success).toBe(true);
    expect(statements).toEqual([{ Action: `bedrock-agentcore:${action}`, Effect: 'Allow', Resource: [arn, under(arn, '*')] }]);
  });

  test.each(CHANNELS)('%s can be limited to one endpoint, on the runtime and that endpoint', (action, channel) => {
    const { statements, arn } = granted(make, channel, { endpoint: endpointNamed('live') });

    expect(statements).toEqual([{
      Action: `bedrock-agentcore:${action}`, Effect: 'Allow', Resource: [arn, under(arn, 'runtime-endpoint/live')],
    }]);
  });
});

test.each(METHODS)('AgentRuntime has its own method for %s', (action, channel) => {
  expect(granted(ours, channel)).toEqual(granted(ours, CHANNELS.find(([name]) => name === action)![1]));
});

test('invoking is granted on the same ARNs as by the official grant', () => {
  const byOfficial: Channel = (runtime, grantee) => runtime.grantInvokeRuntime(grantee);

  expect(granted(ours, CHANNELS[0][1])).toEqual(granted(ours, byOfficial));
});

describe('the name of an endpoint', () => {
  const [, channel] = CHANNELS[2];
  const longest = `a${'0'.repeat(47)}`;

  test.each(['a', 'DEFAULT', 'v_7', longest])('"%s" is accepted', (endpointName) => {
    expect(granted(imported, channel, { endpoint: endpointNamed(endpointName) }).statements[0].Resource[1]).toBe(`${ARN}/runtime-endpoint/${endpointName}`);
  });

  test.each(['', '*', '7', 'a-b', 'a/b', `${longest}0`])('fails on "%s"', (endpointName) => {
    expect(messageOf(() => granted(imported, channel, { endpoint: endpointNamed(endpointName) }))).toBe(
      `"endpoint" must have a name of 1 to 48 letters, digits and "_" that starts with a letter, not "${endpointName}": use an endpoint of the runtime\n  at Stack/Agent`,
    );
  });

  test.each(['ImportedName', undefined])('is that of an endpoint in this app: %s', (endpointName) => {
    const endpoint = new agentcore.RuntimeEndpoint(newStack(), 'Live', { endpointName, agentRuntimeId: 'agent-0123456789' });

    expect(granted(imported, channel, { endpoint }).statements[0].Resource[1]).toBe(`${ARN}/runtime-endpoint/${endpointName ?? 'StackLive5B3DEBE7'}`);
  });

  test('stands for every endpoint if it is known only after synth, since sessions stay on the endpoint that they started on', () => {
    const { statements } = granted(imported, channel, { endpoint: endpointNamed(Fn.importValue('Endpoint')) });

    expect(statements[0].Resource[1]).toBe(`${ARN}/*`);
  });
});

test('a caller whose role is immutable gets a warning with the action and the ARNs', () => {
  const stack = newStack();
  RuntimeGrants.fromRuntime(imported(stack)).stopSession(iam.Role.fromRoleArn(stack, 'Caller', 'arn:aws:iam::123456789012:role/caller', { mutable: false }));

  const [{ entry }] = Annotations.fromStack(stack).findWarning('/Stack/Agent', Match.stringLikeRegexp('cdk-agentcore-workbench:grantNotAdded'));
  expect(entry.data).toContain(
    `the policy of "Stack/Caller" cannot be changed from this app: allow bedrock-agentcore:StopRuntimeSession on ["${ARN}","${ARN}/*"] there yourself`,
  );
});
