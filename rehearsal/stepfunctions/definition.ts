import type { Definition, State } from '../../src/journal/definition';

/** The longest time that a timer of Node.js can hold: 24 days. */
export const LONGEST_TIMER_SECONDS = 2_147_483;

/** The fields in which the interpreter finds the context object of an execution and of each of its states. */
export const CONTEXT = { MACHINE: 'Machine', STATES: 'PerState' } as const;

/** All states, also those of branches and iterations, by name. */
export function statesOf(definition: Definition): [name: string, state: State][] {
  return Object.entries(definition.States).flatMap(([name, state]) => [[name, state], ...nested(state).flatMap(statesOf)] as [string, State][]);
}

function nested(state: State): Definition[] {
  return [...state.Branches ?? [], ...[state.Iterator, state.ItemProcessor].filter((inner) => inner !== undefined)];
}

/**
 * Adapts a definition to the interpreter, without a change of its meaning:
 * - the context object is our own: it has what the interpreter's lacks, and a part for each state
 * - a task has no timeout, instead of the interpreter's minute: its handler ends it in time
 * - `$` and brackets are supported as a result path
 * - a `Fail` whose error or cause is made by a function becomes two states, the first of which makes them
 *
 * @throws if it has something that the interpreter would ignore, since the rehearsal would differ from the service
 */
export function prepare(definition: Definition): Definition {
  const complaints = unsupported(definition);
  if (complaints.length > 0) throw new Error(`this state machine cannot be rehearsed: ${complaints.join('; ')}`);
  return prepared(definition);
}

/** The key of a state's own part of the context: names may hold what no path can. */
export function contextKey(stateName: string): string {
  return `s${Buffer.from(stateName).toString('hex')}`;
}

/** Describes everything in a definition that the interpreter would ignore. */
export function unsupported(definition: Definition): string[] {
  const languages = [definition, ...statesOf(definition).map(([, state]) => state)];
  const names = statesOf(definition).map(([name]) => name);
  return [
    ...(languages.some(({ QueryLanguage }) => QueryLanguage === 'JSONata') ? ['it uses JSONata, and only JSONPath is emulated'] : []),
    ...statesOf(definition).filter(([, { Assign }]) => Assign !== undefined).map(([name]) => `state "${name}" assigns variables, which are not emulated`),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `two states are called "${name}"`),
  ];
}

function prepared(definition: Definition): Definition {
  const { TimeoutSeconds: timeout } = definition;
  return {
    ...definition,
    ...(timeout === undefined ? {} : { TimeoutSeconds: Math.min(timeout, LONGEST_TIMER_SECONDS) }),
    States: Object.fromEntries(Object.entries(definition.States).flatMap(([name, state]) => failing(name, preparedState(name, state)))),
  };
}

function preparedState(name: string, state: State): State {
  const { Branches, Iterator, ItemProcessor, ...own } = state;
  const fitted = contextPaths(own, contextKey(name)) as State;
  return {
    ...withResultPath(fitted),
    ...(fitted.Catch === undefined ? {} : { Catch: fitted.Catch.map(withResultPath) }),
    ...(state.Type === 'Task' && state.TimeoutSecondsPath === undefined ? { TimeoutSeconds: LONGEST_TIMER_SECONDS } : {}),
    ...(Branches === undefined ? {} : { Branches: Branches.map(prepared) }),
    ...(Iterator === undefined ? {} : { Iterator: prepared(Iterator) }),
    ...(ItemProcessor === undefined ? {} : { ItemProcessor: prepared(ItemProcessor) }),
  };
}

/** Fields whose texts mean nothing to Step Functions. */
const PAYLOADS = ['Parameters', 'ItemSelector', 'ResultSelector'];

/**
 * The same for the interpreter's validation: without the texts of payloads. They cannot be invalid, and in lists the interpreter refuses some that
 * Step Functions takes: empty ones, those of several lines, `null`.
 */
export function forValidation(value: unknown, ofPayload = false): unknown {
  if (Array.isArray(value)) return value.map((item) => ofPayload && item === null ? 'text' : forValidation(item, ofPayload));
  if (ofPayload && typeof value === 'string') return 'text';
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => (
    [name, ofPayload && name.endsWith('.$') ? item : forValidation(item, ofPayload || PAYLOADS.includes(name))]));
  return Object.fromEntries(entries);
}

/** Ends the names of states that are not in the definition. */
export const ADDED = ' (as prepared)';

function failing(name: string, state: State): [string, State][] {
  const made = ['Error', 'Cause'].filter((field) => `${state[`${field}Path`]}`.startsWith('States.'));
  if (state.Type !== 'Fail' || made.length === 0) return [[name, state]];
  const { Type, Comment, ...fields } = state;
  // `ErrorPath` becomes `Error.$`, `Error` stays.
  const parameters = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field.replace(/Path$/, '.$'), value]));
  const paths = Object.fromEntries(Object.keys(parameters).map((key) => key.replace(/\.\$$/, '')).map((field) => [`${field}Path`, `$.${field}`]));
  return [
    [name, { Type: 'Pass', Parameters: parameters, Next: `${name}${ADDED}` }],
    [`${name}${ADDED}`, { Type: 'Fail', ...paths }],
  ];
}

function withResultPath<T extends { readonly ResultPath?: string | null }>(object: T): T {
  const { ResultPath: path, ...rest } = object;
  if (path === undefined || path === '$') return rest as T;
  return { ...object, ResultPath: path?.replace(/^\$\[/, '$.[') ?? null };
}

/** Paths of the context object, wherever a path may stand. */
function contextPaths(value: unknown, key: string, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => contextPaths(item, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, contextPaths(item, key, name)]));
  }
  if (typeof value !== 'string' || !(field.endsWith('.$') || field.endsWith('Path') || field === 'Variable')) return value;
  return value
    .replace(/\$\$\.(Execution|StateMachine)\b/g, `$$$$.${CONTEXT.MACHINE}.$1`)
    .replace(/\$\$\.(State|Task)\b/g, `$$$$.${CONTEXT.STATES}.${key}.$1`);
}
