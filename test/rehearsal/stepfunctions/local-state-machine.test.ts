import { Definition, ExecutionOptions, LocalStateMachine, State, TaskError, TaskHandler } from '../../../rehearsal/stepfunctions';

const ARN = 'arn:aws:states:us-east-1:123456789012:stateMachine:Machine';
const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:F';

function machine(states: Definition['States'], onTask: TaskHandler = async (parameters) => parameters): LocalStateMachine {
  return new LocalStateMachine({ name: 'Machine', arn: ARN, definition: { StartAt: Object.keys(states)[0], States: states }, onTask });
}

function run(states: Definition['States'], input: unknown = {}, onTask?: TaskHandler, options?: ExecutionOptions) {
  return machine(states, onTask).start(input, options).result;
}

const task = (more: Partial<State>): State => ({ Type: 'Task', Resource: FUNCTION, ...('Next' in more ? {} : { End: true }), ...more });

describe('the context object', () => {
  test('names the execution, the state machine and the state', async () => {
    const result = await run({
      A: task({
        Parameters: {
          'id.$': '$$.Execution.Id',
          'name.$': '$$.Execution.Name',
          'input.$': '$$.Execution.Input',
          'machine.$': '$$.StateMachine.Name',
          'state.$': '$$.State.Name',
          'entered.$': '$$.State.EnteredTime',
          'text.$': 'States.Format(\'{}/{}\', $$.Execution.Name, $.x)',
        },
      }),
    }, { x: 1 }, undefined, { name: 'first' });
    expect(result.output).toEqual({
      id: 'arn:aws:states:us-east-1:123456789012:execution:Machine:first',
      name: 'first',
      input: { x: 1 },
      machine: 'Machine',
      state: 'A',
      entered: expect.stringMatching(/^\d{4}-.*Z$/),
      text: 'first/1',
    });
  });

  test('is that of the execution in a branch too', async () => {
    const branch = { StartAt: 'B', States: { B: task({ Parameters: { 'input.$': '$$.Execution.Input' } }) } };
    const result = await run({ P: { Type: 'Parallel', Branches: [branch], Parameters: { other: true }, End: true } }, { x: 1 });
    expect(result.output).toEqual([{ input: { x: 1 } }]);
  });
});

describe('a task that fails', () => {
  const fails = async () => Promise.reject(new TaskError('Some.Error', '{"errorMessage":"why"}'));

  test('ends the execution with its error and cause', async () => {
    expect(await run({ A: task({}) }, {}, fails)).toEqual({ status: 'FAILED', error: 'Some.Error', cause: '{"errorMessage":"why"}' });
  });

  test('is retried without delays if a test requests that, and caught with its error and cause', async () => {
    let calls = 0;
    const result = await run({
      A: task({
        Retry: [{ ErrorEquals: ['Some.Error'], IntervalSeconds: 3_600, MaxAttempts: 2 }],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'B' }],
      }),
      B: { Type: 'Succeed' },
    }, { x: 1 }, async () => {
      calls++;
      return fails();
    }, { retryDelay: 0 });
    expect(calls).toBe(3);
    expect(result).toEqual({ status: 'SUCCEEDED', output: { x: 1, error: { Error: 'Some.Error', Cause: '{"errorMessage":"why"}' } } });
  });

  test('has the error of a Fail state that is computed, and is seen as one state', async () => {
    const visited: string[] = [];
    const result = await run({ A: { Type: 'Fail', Error: 'Red', CausePath: 'States.Format(\'it was {}\', $.x)' } }, { x: 'red' }, undefined, {
      onEvent: (event) => {
        if (event.type === 'StateEntered') visited.push(event.state.name);
      },
    });
    expect(result).toEqual({ status: 'FAILED', error: 'Red', cause: 'it was red' });
    expect(visited).toEqual(['A']);
  });
});

describe('a state of more than 256 KiB', () => {
  const catching = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] };
  const half = 'x'.repeat(200_000);

  test('fails the execution if it is a result, which no Catch sees', async () => {
    const result = await run({ A: task(catching), B: { Type: 'Succeed' } }, {}, async () => half + half);
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  test('fails the execution if it is the sum of an input and a result', async () => {
    const result = await run({ A: task({ ResultPath: '$.more' }) }, { half }, async () => half);
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded', cause: expect.stringContaining('the output of "A"') });
  });
});

describe('a task that waits for a token', () => {
  const waiting = (more: Partial<State> = {}) => task({
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Parameters: { 'one.$': '$$.Task.Token', 'two.$': '$$.Task.Token' }, ...more,
  });

  test('has one token for each visit, and the callback\'s output as its result', async () => {
    const tokens: string[] = [];
    const local = machine({ A: waiting({ Next: 'B' }), B: waiting() }, async (parameters, { resource }) => {
      const { one, two } = parameters as { one: string; two: string };
      expect([one, resource]).toEqual([two, 'arn:aws:states:::lambda:invoke']);
      tokens.push(one);
      local.tokens.sendTaskHeartbeat(one);
      local.tokens.sendTaskSuccess(one, `{"by":${tokens.length}}`);
    });
    expect(await local.start({}).result).toEqual({ status: 'SUCCEEDED', output: { by: 2 } });
    expect(tokens[0]).not.toBe(tokens[1]);
    expect(() => local.tokens.sendTaskSuccess(tokens[0], '1')).toThrow('does not exist anymore');
  });

  test('fails as the callback reports', async () => {
    const local = machine({ A: waiting() }, async (parameters) => local.tokens.sendTaskFailure((parameters as { one: string }).one, 'Mine', 'because'));
    expect(await local.start({}).result).toEqual({ status: 'FAILED', error: 'Mine', cause: 'because' });
  });

  test('no longer waits when its execution was aborted', async () => {
    let begun = (_token: string) => {};
    const token = new Promise<string>((resolve) => { begun = resolve; });
    const local = machine({ A: waiting({ HeartbeatSeconds: 600 }) }, async (parameters) => begun((parameters as { one: string }).one));
    const execution = local.start({});
    const one = await token;
    expect(local.tokens.stateMachineOf(one)).toBe(ARN);

    execution.abort();

    expect(await execution.result).toEqual({ status: 'ABORTED' });
    expect(() => local.tokens.sendTaskHeartbeat(one)).toThrow('does not exist anymore');
  });

  test('fails after a silence longer than its heartbeat', async () => {
    expect(await run({ A: waiting({ HeartbeatSeconds: 1 }) })).toEqual({ status: 'FAILED', error: 'States.Timeout', cause: '' });
  });

  test('fails without error and cause if the callback gave none, and Catch gets nulls for them', async () => {
    const silent: TaskHandler = async (parameters) => local.tokens.sendTaskFailure((parameters as { one: string }).one);
    let local = machine({ A: waiting() }, silent);
    expect(await local.start({}).result).toEqual({ status: 'FAILED' });
    local = machine({ A: waiting({ Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'B' }] }), B: { Type: 'Succeed' } }, silent);
    expect(await local.start({}).result).toEqual({ status: 'SUCCEEDED', output: { error: { Error: null, Cause: null } } });
  });
});

test('a task without a timeout has none, and one of years does not end at once', async () => {
  const slow = async () => new Promise((resolve) => setImmediate(resolve, 'done'));
  expect(await run({ A: task({ TimeoutSeconds: 99_999_999 }) }, {}, slow)).toEqual({ status: 'SUCCEEDED', output: 'done' });
});

test('a result path of the whole state, and one in brackets, are understood', async () => {
  const result = await run({
    A: task({ ResultPath: '$', Next: 'B' }),
    B: task({ ResultPath: '$[\'b c\']' }),
  }, { x: 1 }, async () => ({ y: 2 }));
  expect(result.output).toEqual({ 'y': 2, 'b c': { y: 2 } });
});

test('a task that takes too long fails with an empty cause, unlike a failure that a function reports', async () => {
  const result = await run({
    A: task({
      TimeoutSeconds: 1,
      Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'Wrong' }, { ErrorEquals: ['States.Timeout'], ResultPath: '$.error', Next: 'B' }],
    }),
    B: { Type: 'Succeed' },
    Wrong: { Type: 'Fail' },
  }, {}, () => new Promise(() => undefined));
  expect(result).toEqual({ status: 'SUCCEEDED', output: { error: { Error: 'States.Timeout', Cause: '' } } });
});

test.each([[null], [false], [0], ['']])('a state may be %j', async (input) => {
  const result = await run({
    A: task({ Parameters: { 'whole.$': '$', 'input.$': '$$.Execution.Input', 'text.$': 'States.JsonToString($)' }, ResultPath: null, Next: 'B' }),
    B: { Type: 'Pass', InputPath: '$', OutputPath: '$', Next: 'C' },
    C: { Type: 'Choice', Choices: [{ Variable: '$.x', IsPresent: true, Next: 'Wrong' }], Default: 'D' },
    D: task({ Parameters: { 'whole.$': '$' } }),
    Wrong: { Type: 'Fail' },
  }, input);
  expect(result).toEqual({ status: 'SUCCEEDED', output: { whole: input } });
});

test('an execution that exceeds its timeout times out', async () => {
  const definition = { TimeoutSeconds: 1, StartAt: 'A', States: { A: task({}) } };
  const local = new LocalStateMachine({ name: 'Machine', arn: ARN, definition, onTask: () => new Promise(() => undefined) });
  expect(await local.start({}).result).toEqual({ status: 'TIMED_OUT', error: 'States.Timeout' });
});

test('an execution can be aborted', async () => {
  const execution = machine({ A: task({}) }, () => new Promise(() => undefined)).start({});
  execution.abort();
  expect(await execution.result).toEqual({ status: 'ABORTED' });
});

test('lists of parameters may contain texts of any kind', async () => {
  const texts = ['npm ci\nnpm run build', '', '\n', '{% $x %}', 'the end %}', '$.x', null, ['one\ntwo'], { more: ['a\nb', ''] }];
  expect(await run({ A: task({ Parameters: { texts } }) })).toEqual({ status: 'SUCCEEDED', output: { texts } });
});

test('fails for a definition that Step Functions would refuse', () => {
  expect(() => machine({ A: task({ Next: 'Nowhere' }) })).toThrow('Nowhere');
});

test('fails each time, and for a definition that differs in more than its texts from a valid one', () => {
  const states = (parameters: object) => ({ A: task({ Parameters: parameters }) });
  expect(() => machine(states({ text: 'one' }))).not.toThrow();
  expect(() => machine(states({ text: 'two' }))).not.toThrow();
  for (let time = 0; time < 2; time++) expect(() => machine(states({ 'text': 'one', 'text.$': '$.text' }))).toThrow('duplicate field');
  expect(() => machine({ A: { Type: 'Task', Resource: 'Nothing', End: true, Retry: [{}] } })).toThrow('ErrorEquals');
});

test('fails for what would silently have another meaning', () => {
  expect(() => machine({ A: { Type: 'Pass', QueryLanguage: 'JSONata', End: true } })).toThrow('JSONata');
  expect(() => machine({ A: { Type: 'Pass', Assign: { x: 1 }, End: true } })).toThrow('state "A" assigns variables');
});
