import { createServer, Server } from 'http';
import { AddressInfo } from 'net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { StepFunctionsExecutions } from '../../src/rollout/handler/executions';

const MACHINE = 'arn:aws:states:us-east-1:123456789012:stateMachine:fix';

/** The input and the definition of each execution, by name. */
const runs = new Map<string, { readonly input: string; readonly definition: string }>();
let failure: string | undefined;
/** The operation that fails. */
let failing: string | undefined;
/** The operations that were called, in order. */
const asked: string[] = [];
let server: Server;
let executions: StepFunctionsExecutions;

/** A stub of Step Functions that lists and describes executions, two on a page. */
function answer(operation: string, { executionArn = '', nextToken = '0' }: { executionArn?: string; nextToken?: string }): object {
  const run = runs.get(executionArn.split(':').at(-1)!);
  switch (operation) {
    case 'ListExecutions': {
      const from = Number(nextToken);
      const page = [...runs.keys()].slice(from, from + 2).map((name) => ({ name, executionArn: `${MACHINE.replace('stateMachine', 'execution')}:${name}`, status: 'RUNNING' }));
      return { executions: page, ...(runs.size > from + 2 ? { nextToken: `${from + 2}` } : {}) };
    }
    case 'DescribeExecution':
      return { input: run!.input };
    default:
      return { definition: run!.definition };
  }
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      const operation = (request.headers['x-amz-target'] as string).split('.')[1];
      asked.push(operation);
      const fails = failure !== undefined && operation === failing;
      response.writeHead(fails ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(fails ? { __type: failure, message: 'injected' } : answer(operation, JSON.parse(body))));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  executions = new StepFunctionsExecutions(new SFNClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  }));
});

beforeEach(() => {
  runs.clear();
  failure = failing = undefined;
});

afterAll(() => new Promise((closed) => server.close(closed)));

describe('an execution that uses an endpoint', () => {
  test.each([
    ['in the definition that it was started with', { input: '{}', definition: '{"qualifier":"v1"}' }],
    ['in text within its definition', { input: '{}', definition: JSON.stringify({ Parameters: JSON.stringify({ qualifier: 'v1' }) }) }],
    ['in its input, which resumes a session', { input: '{"session":{"endpoint":"v1"}}', definition: '{"qualifier":"v9"}' }],
  ])('is found by the endpoint\'s name %s', async (_, run) => {
    runs.set('another', { input: '{}', definition: '{}' });
    runs.set('one-more', { input: '{}', definition: '{}' });
    runs.set('the-run', run); // on the second page

    expect(await executions.using([MACHINE], ['v1'])).toEqual(new Map([['v1', 'the-run']]));
  });

  test('is not found by a name that only begins or ends with the endpoint\'s name', async () => {
    runs.set('another', { input: '{"a":"v10 v1_x xv1"}', definition: '{"qualifier":"v12"}' });

    expect(await executions.using([MACHINE], ['v1'])).toEqual(new Map());
    expect(await executions.using([], ['v12'])).toEqual(new Map());
  });

  test('is described once for all endpoints, and not at all once there is one for each', async () => {
    runs.set('one', { input: '{"session":{"endpoint":"v1"}}', definition: '{"qualifier":"v2"}' });
    runs.set('another', { input: '{}', definition: '{}' });
    asked.splice(0);

    expect(await executions.using([MACHINE], ['v1', 'v2'])).toEqual(new Map([['v1', 'one'], ['v2', 'one']]));
    expect(asked).toEqual(['ListExecutions', 'DescribeExecution', 'DescribeStateMachineForExecution']);
  });

  test.each([
    ['StateMachineDoesNotExist', 'ListExecutions'],
    ['ExecutionDoesNotExist', 'DescribeExecution'],
    ['ExecutionDoesNotExist', 'DescribeStateMachineForExecution'],
  ])('does not exist if the service answers %s to %s', async (name, operation) => {
    runs.set('gone', { input: '', definition: '' });
    failure = name;
    failing = operation;
    expect(await executions.using([MACHINE], ['v1'])).toEqual(new Map());
  });

  test.each(['ListExecutions', 'DescribeExecution', 'DescribeStateMachineForExecution'])('fails if %s fails, with an error that tells whether to wait', async (operation) => {
    runs.set('a-run', { input: '', definition: '' });
    failure = 'ThrottlingException';
    failing = operation;
    await expect(executions.using([MACHINE], ['v1'])).rejects.toMatchObject({ name: 'Workbench.Throttled' });
  });
});
