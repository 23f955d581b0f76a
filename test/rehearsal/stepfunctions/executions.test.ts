import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Executions } from '../../../rehearsal/stepfunctions';

const MACHINE = { arn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Loop', name: 'Loop', definition: { StartAt: 'A', States: { A: { Type: 'Succeed' } } } };
const arn = (name: string) => `arn:aws:states:us-east-1:123456789012:execution:Loop:${name}`;
const ask = (executions: Executions, operation: string, request: object, refusal: () => string | undefined = () => undefined) =>
  executions.answer({ target: `AWSStepFunctions.${operation}`, body: Buffer.from(JSON.stringify(request)) }, refusal);

describe('the emulated Step Functions\' view of executions', () => {
  const executions = new Executions();
  executions.begin(arn('a'), MACHINE, { n: 1 }, new Date(1_000));
  executions.begin(arn('b'), MACHINE, undefined, new Date(2_000));
  executions.begin(arn('c'), MACHINE, { n: 3 }, new Date(3_000));
  executions.end(arn('b'), { status: 'FAILED' });

  test('has their input and their status', () => {
    expect(ask(executions, 'DescribeExecution', { executionArn: arn('a') })).toMatchObject({ status: 200, body: { status: 'RUNNING', input: '{"n":1}', startDate: 1 } });
    expect(ask(executions, 'DescribeExecution', { executionArn: arn('b') })).toMatchObject({ body: { status: 'FAILED', input: '{}' } });
    expect(ask(executions, 'DescribeStateMachineForExecution', { executionArn: arn('a') })).toMatchObject({ body: { definition: JSON.stringify(MACHINE.definition) } });
  });

  test('is a list, the newest first, in pages', () => {
    const listed = ask(executions, 'ListExecutions', { stateMachineArn: MACHINE.arn, statusFilter: 'RUNNING', maxResults: 1 });
    expect(listed).toMatchObject({ body: { executions: [{ name: 'c' }], nextToken: '1' } });
    const next = ask(executions, 'ListExecutions', { stateMachineArn: MACHINE.arn, statusFilter: 'RUNNING', maxResults: 1, nextToken: '1' })!.body;
    expect(next).toEqual({ executions: [expect.objectContaining({ name: 'a' })] });
  });

  test.each([
    ['for an unknown execution', 'DescribeExecution', { executionArn: arn('x') }, 'ExecutionDoesNotExist'],
    ['for an unknown definition', 'DescribeStateMachineForExecution', { executionArn: arn('x') }, 'ExecutionDoesNotExist'],
    ['without an ARN', 'ListExecutions', {}, 'ValidationException'],
  ])('is an error %s', (_, operation, request, type) => {
    expect(ask(executions, operation, request)).toMatchObject({ status: 400, body: { __type: type } });
  });

  test('is an error for a role without the permission', () => {
    expect(ask(executions, 'DescribeExecution', { executionArn: arn('a') }, () => 'no')).toMatchObject({ status: 400, body: { __type: 'AccessDeniedException' } });
  });

  test('is undefined for other requests', () => {
    expect([ask(executions, 'StartExecution', {}), ask(executions, 'constructor', {})]).toEqual([undefined, undefined]);
  });
});

test('executions are remembered from one start to the next, and those in progress were aborted', () => {
  const directory = mkdtempSync(join(tmpdir(), 'executions-'));
  try {
    const executions = new Executions(join(directory, 'executions'));
    executions.begin(arn('a'), MACHINE, { n: 1 }, new Date());
    executions.begin(arn('b'), MACHINE, {}, new Date());
    executions.end(arn('b'), { status: 'SUCCEEDED' });
    const later = new Executions(join(directory, 'executions'));
    expect(ask(later, 'DescribeExecution', { executionArn: arn('a') })).toMatchObject({ body: { status: 'ABORTED', input: '{"n":1}' } });
    expect(ask(later, 'DescribeExecution', { executionArn: arn('b') })).toMatchObject({ body: { status: 'SUCCEEDED' } });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
