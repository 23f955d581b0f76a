import { Callback, Outcome } from './second-engine';
import { DefinitionJson, StateJson } from '../support/definitions';

/** The outcomes of each state's task, attempt by attempt. Attempts after the last one succeed. */
export interface Scenario {
  readonly name: string;
  readonly outcomes: { readonly [state: string]: readonly Outcome[] };
}

type Entries = readonly (readonly [string, StateJson])[];

/** More attempts than any state has. */
const ALWAYS = 64;

/** Errors in addition to those that the definition itself names. */
const OTHER_ERRORS = ['Error', 'Some.Error', 'States.TaskFailed', 'States.Runtime', 'States.Permissions'];

const SUCCESSES: { readonly [operation: string]: unknown } = {
  'loop:prepare': { taskId: 'task-1', prompt: 'Make it right', session: { id: 's'.repeat(40) }, loop: { next: 'GO_ON' } },
  'loop:bootstrap': { next: 'GO_ON' },
  'loop:turn': { next: 'GO_ON' },
  'loop:snapshot': { next: 'GO_ON' },
  'loop:gate': { next: 'PASSED' },
  'loop:commit': { next: 'GO_ON' },
};

/** Returns the successful result of a driver step. */
export function success(state: StateJson): Outcome {
  const { operation, green } = operationOf(state);
  if (operation === 'loop:stop') return { result: green === true ? { output: { outcome: 'COMMITTED' } } : { failure: { name: 'CodingLoop.Red', cause: '{"outcome":"RED"}' } } };
  return { result: SUCCESSES[operation], callback: { output: { said: 'done' } } };
}

function operationOf({ Parameters: parameters }: StateJson): { readonly operation: string; readonly green?: boolean } {
  const { Payload: payload, ...given } = parameters as { readonly Payload?: never; readonly operation: string };
  return payload ?? given;
}

/** Every error of every task, once and on every attempt. */
function failures(tasks: Entries): Scenario[] {
  const named = tasks.flatMap(([, { Retry = [], Catch = [] }]) => [...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals));
  const errors = [...new Set([...named, ...OTHER_ERRORS])].filter((error) => error !== 'States.ALL');
  return tasks.flatMap(([state]) => errors.flatMap((errorType) => {
    const outcome: Outcome = errorType === 'States.Timeout' ? { timedOut: true } : { failure: { errorType, errorMessage: '{"outcome":"FAILED"}' } };
    return [1, ALWAYS].map((times) => ({ name: `${state}: ${errorType}, ${times === 1 ? 'once' : 'always'}`, outcomes: { [state]: Array(times).fill(outcome) } }));
  }));
}

/** Results that a step must not return, and results of other steps. */
const RESULTS: readonly unknown[] = [
  ...['GO_ON', 'NO_CHANGES', 'PASSED', 'REPAIR', 'AGAIN', 'RUNNING', 'DONE', 'passed', '', 0, true, null, ['PASSED']].map((next) => ({ next })),
  {}, [], null, false, 0, '', 'PASSED', { other: { next: 'PASSED' } },
];

function results(tasks: Entries): Scenario[] {
  return tasks.flatMap(([state]) => RESULTS.map((result) => ({
    name: `${state}: returns ${JSON.stringify(result)}`, outcomes: { [state]: [{ result, callback: { output: result } }] },
  })));
}

/** Results that the step that stops a session must not return. */
function ends(tasks: Entries): Scenario[] {
  const shapes = [{ output: null }, { output: [] }, { failure: null }, { failure: {} }, { failure: { name: 'A' } }, { failure: { name: 'A', cause: '' } }, { failure: { name: 1, cause: {} } }];
  const [after] = tasks.filter(([, state]) => operationOf(state).operation === 'loop:commit');
  return tasks.filter(([, state]) => operationOf(state).operation === 'loop:stop').flatMap(([state]) => shapes.map((result) => ({
    name: `${state}: returns ${JSON.stringify(result)}`,
    outcomes: { [state]: [{ result }], ...(state === 'Stop the session' ? {} : { [after[0]]: [{ result: { next: 'RED' } }] }) },
  })));
}

const CALLBACKS: readonly Callback[] = [
  { output: {} }, { output: null }, { output: 'text' }, { timedOut: true }, { silent: true }, {}, { error: 'Some.Error' }, { cause: 'why' },
  { error: 'Some.Error', cause: 'why' }, { error: 'CodingLoop.Red', cause: '{"outcome":"COMMITTED"}' }, { error: 'Workbench.Throttled' },
  { error: '', cause: '' }, { error: 'States.Timeout', cause: 'why' }, { error: 'States.ALL' },
];

function callbacks(tasks: Entries): Scenario[] {
  return tasks.filter(([, { Resource }]) => Resource!.endsWith('.waitForTaskToken')).flatMap(([state]) => CALLBACKS.map((callback) => ({
    name: `${state}: is answered by ${JSON.stringify(callback)}`, outcomes: { [state]: [{ result: {}, callback }] },
  })));
}

/** Random rounds of repairs, retries and jobs that keep running: the same ones in each test run. */
function walks(tasks: Entries, count: number): Scenario[] {
  let seed = 20_261;
  const below = (limit: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(seed / 65_536) % limit;
  };
  const nexts = ['GO_ON', 'PASSED', 'REPAIR', 'AGAIN', 'RUNNING', 'NO_CHANGES'];
  const errors = ['Workbench.Conflict', 'Workbench.Throttled', 'Workbench.ServerError', 'Runtime.ExitError'];
  const outcome = (): Outcome => below(3) === 0
    ? { failure: { errorType: errors[below(errors.length)], errorMessage: '{"outcome":"FAILED"}' } }
    : { result: { next: nexts[below(nexts.length)] }, callback: { output: {} } };
  const walked = tasks.filter(([, state]) => !['loop:prepare', 'loop:stop'].includes(operationOf(state).operation));
  return Array.from({ length: count }, (_, number) => ({
    name: `walk ${number}`, outcomes: Object.fromEntries(walked.map(([state]) => [state, Array.from({ length: below(6) }, outcome)])),
  }));
}

/** Returns the scenarios of a loop: each event by itself, and random combinations. */
export function scenariosOf({ States: states }: DefinitionJson): Scenario[] {
  const tasks = Object.entries(states).filter(([, { Type }]) => Type === 'Task');
  return [{ name: 'nothing happens', outcomes: {} }, ...failures(tasks), ...results(tasks), ...ends(tasks), ...callbacks(tasks), ...walks(tasks, 60)];
}
