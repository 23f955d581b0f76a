import { Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, RunBrake, RunBrakeProps } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

const ENV = { region: 'eu-west-1', account: '123456789012' };
const ARN = 'arn:aws:ssm:eu-west-1:123456789012:parameter/';

describe('a brake is refused', () => {
  test.each<[string, (stack: Stack) => RunBrakeProps, string]>([
    ['with a name for a parameter of your own', (stack) => ({ parameter: ssm.StringParameter.fromStringParameterName(stack, 'Mine', '/mine'), parameterName: '/other' }),
      '"parameterName" must be left out for a parameter of your own: set it on the parameter'],
    ['with an encrypted parameter', (stack) => ({ parameter: ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Mine', { parameterName: '/mine' }) }),
      '"parameter" must be of the type String, not SecureString, which the driver could not decrypt: use another one'],
    ['with a parameter that was imported by its ARN and lost a part of its name', (stack) => ({ parameter: ssm.StringParameter.fromStringParameterArn(stack, 'Mine', `${ARN}coding/brake`) }),
      '"parameter" must have the name that its ARN has, coding/brake, not brake: import it with StringParameter.fromStringParameterName'],
    ['with a name that is not known', () => ({ parameterName: Token.asString({ Ref: 'Name' }) }),
      '"parameterName" must be known at synth, since the ARN depends on it: use a literal, or pass a StringParameter with "simpleName" as "parameter"'],
    ['with a reserved name', () => ({ parameterName: '/AWS/brake' }), '"parameterName" must not begin with "aws" or "ssm", which Systems Manager reserves, as "/AWS/brake" does: rename it'],
    ['with a name that is too long', () => ({ parameterName: `/${'a'.repeat(1_011)}` }), '"parameterName" must have at most 1011 characters, not 1012: shorten it'],
  ])('%s', (_, props, message) => {
    const stack = newStack(ENV);
    expect(messageOf(() => new RunBrake(stack, 'Brake', props(stack)))).toBe(`${message}\n  at Stack/Brake`);
  });

  test.each([
    ['in another Region', { ...ENV, region: 'us-east-1' }, '"brake" must be in the Region of the loop, us-east-1, not in eu-west-1: use another one'],
    ['in another account', { ...ENV, account: '210987654321' }, '"brake" must be in the account of the loop, 210987654321, not in 123456789012: use another one'],
  ])('by a loop %s, which could not read it', (_, env, message) => {
    const brake = new RunBrake(newStack(ENV), 'Brake');
    const stack = newStack(env);
    const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
    const repository = GitRepository.fromUrl('https://example.com/a.git');
    expect(messageOf(() => new CodingLoop(stack, 'Loop', { runtime, repository, gates: [Gate.command('test', 'x')], brake }))).toBe(`${message}\n  at Stack/Loop`);
  });

  test('by an alarm whose account cannot set it', () => {
    const stack = newStack(ENV);
    const parameter = ssm.StringParameter.fromStringParameterArn(stack, 'Shared', 'arn:aws:ssm:eu-west-1:210987654321:parameter/brake');
    const alarm = new cloudwatch.Alarm(stack, 'Alarm', { metric: new cloudwatch.Metric({ namespace: 'n', metricName: 'm' }), threshold: 1, evaluationPeriods: 1 });
    expect(messageOf(() => alarm.addAlarmAction(new RunBrake(stack, 'Brake', { parameter })))).toContain('must be in the account of the alarm, 123456789012, not in 210987654321');
  });
});

test('the resource of a brake is its parameter, for an escape hatch', () => {
  const stack = newStack();
  const brake = new RunBrake(stack, 'Brake');
  expect(brake.node.defaultChild).toBeInstanceOf(ssm.CfnParameter);
  expect(new RunBrake(stack, 'Other', { parameter: brake.parameter }).node.defaultChild).toBeUndefined();
});

test.each([`/${'a'.repeat(1_010)}`, 'brake', '/coding/brake'])('a brake takes a name that Systems Manager takes', (parameterName) => {
  expect(() => new RunBrake(newStack(ENV), 'Brake', { parameterName })).not.toThrow();
});

test.each(['brake', '/brake'])('a parameter whose name agrees with its ARN is accepted: %s', (name) => {
  const stack = newStack(ENV);
  const parameter = name === 'brake' ? ssm.StringParameter.fromStringParameterArn(stack, 'Mine', `${ARN}brake`)
    : ssm.StringParameter.fromStringParameterName(stack, 'Mine', name);
  expect(() => new RunBrake(stack, 'Brake', { parameter })).not.toThrow();
});
