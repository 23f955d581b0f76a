import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import { DefinitionJson, StateJson } from './definitions';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- it has no types
const validate = require('asl-validator') as (definition: object, options?: object) => { isValid: boolean; errorsText(): string };

/** Returns what `asl-validator` finds in a definition. ARNs are those of a template. */
export function byAslValidator(definition: object): string[] {
  const { isValid, errorsText } = validate(definition, { checkArn: false });
  return isValid ? [] : [`asl-validator: ${errorsText()}`];
}

/** Returns what `amazon-states-language-service`, which editors use, finds in a definition. */
export async function byLanguageService(definition: object): Promise<string[]> {
  const service = getLanguageService({});
  const document = TextDocument.create('file:///definition.asl.json', 'asl', 1, JSON.stringify(definition, undefined, 2));
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map(({ message, range }) => `amazon-states-language-service: ${message} (${document.getText(range)})`);
}

/** Returns what the rules of this project find in a definition; both linters miss these faults. */
export function byOurselves(definition: DefinitionJson): string[] {
  const { States: states, StartAt: start } = definition;
  const next = (name: string) => waysFrom(states[name]).filter((way) => way in states);
  const reached = closure([start], next);
  const ending = closure(
    Object.keys(states).filter((name) => isTerminal(states[name])),
    (name) => Object.keys(states).filter((from) => next(from).includes(name)),
  );
  return Object.entries(states).flatMap(([name, state]) => [
    ...waysFrom(state).filter((way) => !(way in states)).map((way) => `leads to "${way}", which is not there`),
    ...(reached.has(name) ? [] : ['is never reached']),
    ...(ending.has(name) ? [] : ['leads to no end']),
    ...(state.Type === 'Choice' && state.Default === undefined ? ['has no Default: what no rule matches fails with States.NoChoiceMatched'] : []),
    ...failFaults(state, definition),
    ...[...state.Retry ?? []].flatMap(retryFaults),
    ...[...state.Retry ?? [], ...state.Catch ?? []].filter(({ ErrorEquals }) => ErrorEquals.includes('States.ALL') && ErrorEquals.length > 1)
      .map(() => 'names States.ALL beside others'),
    ...(state.HeartbeatSeconds !== undefined && state.HeartbeatSeconds >= (state.TimeoutSeconds ?? Infinity) ? ['has a heartbeat that is not shorter than its timeout'] : []),
    ...nested(state).flatMap(byOurselves),
  ].map((fault) => `"${name}" ${fault}`));
}

const RESERVED = /^(States|Lambda|Sandbox|Runtime)\./;

/** The specification reserves names for the engine's errors: a `Fail` state must not use one. */
function failFaults({ Type, Error: error, ErrorPath: path }: StateJson, { States: states }: DefinitionJson): string[] {
  if (Type !== 'Fail') return [];
  const caught = Object.values(states).flatMap(({ Catch = [] }) => Catch)
    .filter(({ ErrorEquals, ResultPath = '$' }) => ErrorEquals.some((name) => RESERVED.test(name)) && path === `${ResultPath}.Error`);
  return [
    ...(typeof error === 'string' && RESERVED.test(error) ? [`throws "${error}", a reserved name`] : []),
    ...(caught.length > 0 ? [`throws what was caught (${String(path)}), which may have a reserved name`] : []),
  ];
}

const RETRY_FIELDS = ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment'];

function retryFaults(retry: object): string[] {
  const { JitterStrategy: jitter = 'NONE' } = retry as { JitterStrategy?: string };
  return [
    ...Object.keys(retry).filter((field) => !RETRY_FIELDS.includes(field)).map((field) => `has the field "${field}" in a Retry, which is none`),
    ...(['FULL', 'NONE'].includes(jitter) ? [] : [`has the jitter strategy "${jitter}", which is none`]),
  ];
}

function isTerminal({ Type, End }: StateJson): boolean {
  return End === true || Type === 'Succeed' || Type === 'Fail';
}

function waysFrom({ Next, Default, Choices = [], Catch = [] }: StateJson): string[] {
  return [Next, Default, ...[...Choices, ...Catch].map((way) => way.Next as string | undefined)].filter((way) => way !== undefined);
}

function nested({ Branches = [], Iterator, ItemProcessor }: StateJson): DefinitionJson[] {
  return [...Branches as DefinitionJson[], ...[Iterator, ItemProcessor].filter((inner) => inner !== undefined) as DefinitionJson[]];
}

function closure(from: readonly string[], next: (name: string) => readonly string[]): Set<string> {
  const found = new Set(from);
  for (const name of found) next(name).forEach((other) => found.add(other));
  return found;
}
