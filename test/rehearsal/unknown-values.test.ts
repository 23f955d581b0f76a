import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as events from 'aws-cdk-lib/aws-events';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { NotEmulatedError } from '../../rehearsal/assembly';
import type { AgentRuntime } from '../../src';
import { commandLine } from '../support/command-line';
import { RehearsedLoop, RehearsedStack, writes } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

/** Adds something to the loop's stack, or changes something in it. */
function then(change: (stack: Stack, runtime: AgentRuntime) => void): RehearsedStack {
  return { then: (made, runtime) => change(Stack.of(made), runtime) };
}

test('ignores values of other resources that only CloudFormation knows, or that a rehearsal does not', async () => {
  const assembly = loop.synth(then((stack, runtime) => {
    const file = join(loop.copy.directory, 'machine.json');
    writeFileSync(file, '{ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } }');
    new sfn.StateMachine(stack, 'FromFile', { definitionBody: sfn.DefinitionBody.fromFile(file) });
    new sfn.CfnStateMachine(stack, 'Unknown', { roleArn: Fn.importValue('Role'), definitionString: Fn.importValue('Definition') });
    new sfn.StateMachine(stack, 'Other', { definitionBody: sfn.DefinitionBody.fromChainable(new sfn.Pass(stack, 'Pass', { result: sfn.Result.fromString(Fn.importValue('Text')) })) });
    new events.Rule(stack, 'Rule', { eventPattern: { source: ['aws.states'], detail: { stateMachineArn: [Fn.select(5, Fn.split(':', Fn.importValue('Machine')))] } } });
    new CfnOutput(stack, 'Output', { value: Fn.importValue('Anything') });
    (runtime.node.defaultChild as CfnRuntime).networkConfiguration = {
      networkMode: 'VPC', networkModeConfig: { securityGroups: [Fn.importValue('Group')], subnets: Fn.getAzs() },
    };
  }));
  const rehearsal = await loop.start(writes('42'), { assembly });

  expect(await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' })).toMatchObject({ outcome: 'COMMITTED', error: undefined });
});

test('fails before the start for what a loop needs that only CloudFormation knows, with the resource', async () => {
  const assembly = loop.synth(then((_, runtime) => {
    (runtime.node.defaultChild as CfnRuntime).environmentVariables = { TABLE: Fn.importValue('Data:Table') };
  }));

  await expect(loop.start(writes('42'), { assembly })).rejects.toThrow(NotEmulatedError);
  await expect(loop.start(writes('42'), { assembly })).rejects.toThrow(/^Stack\/Loop cannot be rehearsed: Agent\w+ needs the value of Fn::ImportValue \(Data:Table\), which only CloudFormation knows$/);
  const { exitCode, stderr } = await commandLine('rehearse', '--app', assembly, '--repository', loop.copy.directory, '--prompt', 'x', '--sandbox', 'namespace', '--state', loop.copy.state);
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^Stack\/Loop cannot be rehearsed: [^\n]*\n$/)]);
});

test('fails by name for a state machine whose definition cannot be known, if the stack has no loop', async () => {
  const assembly = loop.synth(then((stack) => {
    stack.node.tryRemoveChild('Loop');
    new sfn.CfnStateMachine(stack, 'Unknown', { roleArn: Fn.importValue('Role'), definitionString: Fn.importValue('Definition') });
  }));

  await expect(loop.start(writes('42'), { assembly })).rejects.toThrow('Unknown cannot be rehearsed: its DefinitionString needs the value of Fn::ImportValue (Definition), which only CloudFormation knows');
});
