import { setTimeout } from 'node:timers/promises';
import { CloudFormationClient, DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeExecutionCommand, DescribeStateMachineCommand, ExecutionStatus, GetExecutionHistoryCommand, ListExecutionsCommand,
  ListStateMachinesCommand, SFNClient, StartExecutionCommand, StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { Executions } from '../../rehearsal/stepfunctions';
import type { Definition } from '../../src/journal/definition';
import { describeLoop } from '../../src/journal/loop-description';
import { LoopFixture, useLoops } from '../support/loop-fixture';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';

const start = useLoops();
const clientOf = (endpoint: string) => ({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'somebody', secretAccessKey: 'a' } });

async function ended(sfn: SFNClient, executionArn: string): Promise<ExecutionStatus> {
  for (;;) {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') return status!;
    await setTimeout(50); // a client can only ask again
  }
}

async function machineOf(sfn: SFNClient): Promise<string> {
  const { stateMachines } = await sfn.send(new ListStateMachinesCommand({}));
  return stateMachines![0].stateMachineArn!;
}

test('a run is found by the stack\'s resources, started, listed and described, as in an account', async () => {
  const { server, deployment, show } = await boundFixture();
  const [sfn, cfn] = [new SFNClient(clientOf(server.endpoint)), new CloudFormationClient(clientOf(server.endpoint))];
  const { StackResourceSummaries: resources } = await cfn.send(new ListStackResourcesCommand({ StackName: deployment.stack.name }));
  const [machine] = resources!.filter(({ ResourceType }) => ResourceType === 'AWS::StepFunctions::StateMachine');
  expect(machine).toMatchObject({ LogicalResourceId: deployment.stack.find('AWS::StepFunctions::StateMachine'), PhysicalResourceId: await machineOf(sfn), ResourceStatus: 'CREATE_COMPLETE' });
  const { definition, type } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: machine.PhysicalResourceId }));
  expect(describeLoop(machine.LogicalResourceId!, JSON.parse(definition!) as Definition)).toMatchObject({ path: 'Stack/Loop', gates: [{ name: 'test' }] });
  expect(type).toBe('STANDARD');

  const input = JSON.stringify({ prompt: 'Make it right', taskId: 'task-1' });
  const request = { stateMachineArn: machine.PhysicalResourceId, name: 'by-request', input };
  const { executionArn } = await sfn.send(new StartExecutionCommand(request));
  // The same once more is the same execution.
  expect((await sfn.send(new StartExecutionCommand(request))).executionArn).toBe(executionArn);
  expect(await ended(sfn, executionArn!)).toBe('SUCCEEDED');
  await expect(sfn.send(new StartExecutionCommand(request))).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  const { output, startDate, stopDate } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  expect(JSON.parse(output!)).toMatchObject({ outcome: 'COMMITTED' });
  expect(stopDate!.getTime()).toBeGreaterThan(startDate!.getTime());
  expect(show()).toBe('right\n');
  expect((await sfn.send(new ListExecutionsCommand({ stateMachineArn: machine.PhysicalResourceId }))).executions).toMatchObject([{ executionArn, status: 'SUCCEEDED' }]);
});

/** A loop whose methods can be taken out of it. */
async function boundFixture(): Promise<Pick<LoopFixture, 'server' | 'deployment'> & { readonly show: () => string }> {
  const loop = await start();
  return { server: loop.server, deployment: loop.deployment, show: () => loop.show() };
}

test('a failed run has its error and its cause, and its history comes in pages, forwards and backwards, with data and without', async () => {
  const { server } = await boundFixture();
  const sfn = new SFNClient(clientOf(server.endpoint));
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: await machineOf(sfn), input: '{"prompt":3}' }));
  expect(await ended(sfn, executionArn!)).toBe('FAILED');
  const { error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  expect([error, JSON.parse(cause!)]).toEqual(['CodingLoop.BadInput', expect.objectContaining({ outcome: 'CodingLoop.BadInput' })]);

  const first = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 4 }));
  const rest = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000, nextToken: first.nextToken }));
  const all = [...first.events!, ...rest.events!];
  expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1));
  expect([first.events!.length, rest.nextToken]).toEqual([4, undefined]);
  expect(all[1]).toMatchObject({ type: 'TaskStateEntered', stateEnteredEventDetails: { input: '{"prompt":3}', inputDetails: { truncated: false } } });
  const newest = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1, reverseOrder: true }));
  expect(newest.events).toMatchObject([{ type: 'ExecutionFailed', executionFailedEventDetails: { error } }]);
  const bare = await sfn.send(new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false }));
  expect(bare.events!.map(({ type }) => type)).toEqual(all.map(({ type }) => type));
  expect(bare.events![1].stateEnteredEventDetails).toEqual({ name: 'Prepare the run', inputDetails: { truncated: false } });
});

test.each([
  ['an unknown execution', new StopExecutionCommand({ executionArn: 'arn:aws:states:us-east-1:123456789012:execution:No:one' }), 'ExecutionDoesNotExist'],
  ['the history of an unknown execution', new GetExecutionHistoryCommand({ executionArn: 'arn:aws:states:us-east-1:123456789012:execution:No:one' }), 'ExecutionDoesNotExist'],
  ['an unknown state machine', new StartExecutionCommand({ stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:No' }), 'StateMachineDoesNotExist'],
  ['the description of an unknown state machine', new DescribeStateMachineCommand({ stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:No' }), 'StateMachineDoesNotExist'],
])('fails for %s', async (_, command, name) => {
  const { server } = await boundFixture();
  await expect(new SFNClient(clientOf(server.endpoint)).send(command as StopExecutionCommand)).rejects.toMatchObject({ name });
});

test('fails for an input that is no JSON', async () => {
  const { server } = await boundFixture();
  const sfn = new SFNClient(clientOf(server.endpoint));
  await expect(sfn.send(new StartExecutionCommand({ stateMachineArn: await machineOf(sfn), input: '{' }))).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
});

test('the stack is described with its outputs, and another stack does not exist', async () => {
  const { server, deployment } = await boundFixture();
  const cfn = new CloudFormationClient(clientOf(server.endpoint));
  expect((await cfn.send(new DescribeStacksCommand({ StackName: deployment.stack.name }))).Stacks).toMatchObject([{ StackName: 'Stack', StackStatus: 'CREATE_COMPLETE' }]);
  await expect(cfn.send(new DescribeStacksCommand({ StackName: 'Other' }))).rejects.toMatchObject({ name: 'ValidationError', message: 'Stack with id Other does not exist' });
});

test('a run that a request starts works on the copy of the repository, and its history outlives the rehearsal', async () => {
  const loop = new RehearsedLoop();
  try {
    const stateDirectory = `${loop.copy.directory}-state`;
    const rehearsal = await loop.start(writes('42'), { stateDirectory });
    const sfn = new SFNClient(clientOf(rehearsal.server.endpoint));
    const request = { stateMachineArn: await machineOf(sfn), name: 'kept', input: '{"prompt":"Make it 42","taskId":"t"}' };
    const { executionArn } = await sfn.send(new StartExecutionCommand(request));
    expect(await ended(sfn, executionArn!)).toBe('SUCCEEDED');
    const before = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(loop.copy.git('branch', '--list', 'workbench/*').trim()).toBe('');
    await rehearsal.close();
    const later = new Executions(`${stateDirectory}/executions`);
    const body = Buffer.from(JSON.stringify({ executionArn }));
    const answer = later.answer({ target: 'AWSStepFunctions.GetExecutionHistory', body }, () => undefined);
    const { events } = answer!.body as { readonly events: readonly { readonly id: number }[] };
    expect(events.map(({ id }) => id)).toEqual(before.events!.map(({ id }) => id));
  } finally {
    await loop.close();
  }
});
