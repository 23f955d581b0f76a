import { join } from 'path';
import { App, CfnParameter, Duration, IPropertyInjector, PropertyInjectors, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentExecutionRole, AgentImage, AgentRuntime, AgentRuntimeProps } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

const agent = (props: Partial<AgentRuntimeProps> = {}, stack = newStack()) => new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, ...props });

describe('the lifecycle of sessions', () => {
  const lifecycle = (idle?: Duration, max?: Duration) => () =>
    agent({ lifecycleConfiguration: { idleRuntimeSessionTimeout: idle, maxLifetime: max } });
  const { seconds } = Duration;
  const token = () => seconds(new CfnParameter(new Stack(), 'Seconds', { type: 'Number' }).valueAsNumber);

  test.each([
    ['equal', seconds(600), seconds(600)],
    ['an idle timeout of one second less than the maximum lifetime', seconds(599), seconds(600)],
    ['both at the lower bound', seconds(60), seconds(60)],
    ['both at the upper bound', seconds(28800), seconds(28800)],
    ['only an idle timeout, above the default maximum lifetime', seconds(28800), undefined],
    ['only a maximum lifetime, below the default idle timeout', undefined, seconds(60)],
    ['an idle timeout that is a token', token(), seconds(60)],
    ['a maximum lifetime that is a token', seconds(28800), token()],
  ])('is accepted: %s', (_, idle, max) => {
    expect(lifecycle(idle, max)).not.toThrow();
  });

  test('fails if a session could be idle for longer than its maximum lifetime', () => {
    expect(messageOf(lifecycle(seconds(601), seconds(600)))).toBe(
      '"idleRuntimeSessionTimeout" must be at most "maxLifetime" (600 seconds), not 601 seconds: lower the one or raise the other\n  at Stack/Agent',
    );
  });
});

test.each<[what: string, props: Partial<AgentRuntimeProps>, message: string]>([
  ['a name with a hyphen', { runtimeName: 'my-agent' }, 'Runtime name must start with a letter'],
  ['a description that is too long', { description: 'a'.repeat(1201) }, 'The field Description is 1201 characters long'],
  ['51 environment variables', { environmentVariables: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`V${i}`, ''])) }, 'Maximum allowed is 50'],
  ['an environment variable that starts with a digit', { environmentVariables: { '1A': '' } }, "Environment variable key '1A' must start with a letter"],
  ['an idle timeout of 59 seconds', { lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.seconds(59) } }, 'must be between 60 seconds'],
  ['a maximum lifetime of more than eight hours', { lifecycleConfiguration: { maxLifetime: Duration.seconds(28801) } }, 'and 28800 seconds'],
  ['a tag with the prefix of AWS', { tags: { 'aws:x': 'y' } }, 'cannot start with "aws:"'],
])('fails as the official construct does on %s', (_, props, message) => {
  expect(messageOf(() => agent(props))).toContain(message);
});

describe('the platform of the image', () => {
  const WARNING = Match.stringLikeRegexp('only starts arm64 images.*\\[ack: .*cdk-agentcore-workbench:imageNotArm64\\]');
  const DIRECTORY = join(__dirname, '../../examples/persistent-workspace/agent');
  const { fromAsset, fromImageUri, fromCodeAsset } = agentcore.AgentRuntimeArtifact;

  test.each<[what: string, platform: Platform | undefined, words: string]>([
    ['is amd64', Platform.LINUX_AMD64, 'is built for linux/amd64,'],
    ['is not given', undefined, 'is built for the architecture of the machine that builds it, since it has no "platform",'],
    ['only starts with arm64', Platform.custom('linux/arm64be'), 'is built for linux/arm64be,'],
  ])('warns if that of an asset %s', (_, platform, words) => {
    const { stack } = agent({ agentRuntimeArtifact: fromAsset(DIRECTORY, { platform }) });

    Annotations.fromStack(stack).hasWarning('/Stack/Agent', WARNING);
    Annotations.fromStack(stack).hasWarning('/Stack/Agent', Match.stringLikeRegexp(words));
  });

  test.each<[what: string, artifact: () => agentcore.AgentRuntimeArtifact]>([
    ['an asset for arm64', () => fromAsset(DIRECTORY, { platform: Platform.LINUX_ARM64 })],
    ['an asset for a variant of arm64', () => fromAsset(DIRECTORY, { platform: Platform.custom('linux/arm64/v8') })],
    ['an AgentImage', () => AgentImage.fromDirectory(DIRECTORY)],
    ['an existing image', () => fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1')],
    ['code', () => fromCodeAsset({ path: DIRECTORY, runtime: agentcore.AgentCoreRuntime.NODE_22, entrypoint: ['agent.js'] })],
  ])('does not warn about %s', (_, artifact) => {
    Annotations.fromStack(agent({ agentRuntimeArtifact: artifact() }).stack).hasNoWarning('*', WARNING);
  });
});

test('a runtime can be imported', () => {
  const runtime = AgentRuntime.fromAgentRuntimeAttributes(newStack(), 'Agent', {
    agentRuntimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789',
    agentRuntimeId: 'agent-0123456789',
    agentRuntimeName: 'agent',
    roleArn: 'arn:aws:iam::123456789012:role/agent',
  });

  expect(runtime.agentRuntimeId).toBe('agent-0123456789');
});

test('an id may contain a slash', () => {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agents/Coder', { agentRuntimeArtifact: IMAGE });

  expect(runtime.role).toBeInstanceOf(AgentExecutionRole);
});

describe('property injectors', () => {
  function injected(inject: IPropertyInjector['inject'], props: Partial<AgentRuntimeProps> = {}) {
    const app = new App();
    PropertyInjectors.of(app).add({ constructUniqueId: agentcore.Runtime.PROPERTY_INJECTION_ID, inject });
    const stack = new Stack(app, 'Stack');
    return { stack, runtime: agent(props, stack) };
  }
  const officialRole = Match.stringLikeRegexp('set "executionRole" to an AgentExecutionRole .*cdk-agentcore-workbench:officialExecutionRole');

  test('that pass the props on do not affect the role', () => {
    const { stack, runtime } = injected((props) => props);

    expect(runtime.role).toBeInstanceOf(AgentExecutionRole);
    Annotations.fromStack(stack).hasNoWarning('*', officialRole);
  });

  test('that copy the props take effect, with a warning that the role is the official one', () => {
    const { stack } = injected((props) => ({ ...props, description: 'injected' }));

    Template.fromStack(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', { Description: 'injected' });
    Annotations.fromStack(stack).hasWarning('/Stack/Agent', officialRole);
  });

  test('that look for a role find none before the runtime exists', () => {
    const seen: unknown[] = [];
    injected((props) => {
      seen.push(props.executionRole);
      return props;
    });

    expect(seen).toEqual([undefined]);
  });

  test('that set a role take effect', () => {
    const { stack, runtime } = injected((props, { scope }) => ({
      executionRole: new iam.Role(scope, 'Role', { assumedBy: new iam.ServicePrincipal('bedrock-agentcore.amazonaws.com') }), ...props,
    }));

    expect(runtime.role.node.path).toBe('Stack/Role');
    Annotations.fromStack(stack).hasNoWarning('*', officialRole);
  });

  test('a role from the user causes no warning', () => {
    const app = new App();
    const stack = new Stack(app, 'Stack');
    agent({ executionRole: new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('bedrock-agentcore.amazonaws.com') }) }, stack);

    Annotations.fromStack(stack).hasNoWarning('*', officialRole);
  });
});

describe('usage metrics', () => {
  test.each([
    ['CPUUsed-vCPUHours', (runtime: AgentRuntime) => runtime.metricCpuUsed()],
    ['MemoryUsed-GBHours', (runtime: AgentRuntime) => runtime.metricMemoryUsed()],
  ])('%s is that of this runtime alone', (metricName, metric) => {
    const stack = newStack();
    const runtime = agent({}, stack);

    expect(stack.resolve(metric(runtime).toMetricConfig().metricStat)).toMatchObject({
      namespace: 'AWS/Bedrock-AgentCore',
      metricName,
      statistic: 'Sum',
      dimensions: [{ name: 'Resource', value: stack.resolve(runtime.agentRuntimeArn) }, { name: 'Service', value: 'AgentCore.Runtime' }],
    });
  });

  test('options are kept, and further dimensions are added', () => {
    const { metricStat } = agent().metricCpuUsed({ statistic: 'Average', period: Duration.hours(1), dimensionsMap: { Name: 'agent::DEFAULT' } }).toMetricConfig();

    expect(metricStat).toMatchObject({ statistic: 'Average', period: Duration.hours(1) });
    expect(metricStat!.dimensions!.map(({ name }) => name)).toEqual(['Name', 'Resource', 'Service']);
  });
});
