import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { didYouMean } from './did-you-mean';
import type { Faults } from './misuse';

interface OptionType {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly default?: string | boolean;
}

/** Options by their names. */
export interface OptionTypes {
  readonly [name: string]: OptionType;
}

/** The options of `rehearse`. */
export const REHEARSE_OPTIONS = {
  'app': { type: 'string' },
  'stack': { type: 'string' },
  'loop': { type: 'string' },
  'input': { type: 'string' },
  'repository': { type: 'string' },
  'ref': { type: 'string' },
  'agent': { type: 'string' },
  'gate': { type: 'string', multiple: true },
  'bootstrap': { type: 'string', multiple: true },
  'gates-before': { type: 'boolean', default: false },
  'check-base': { type: 'boolean', default: false },
  'known-failures': { type: 'boolean', default: false },
  'report': { type: 'string', multiple: true },
  'retries': { type: 'string', multiple: true },
  'no-pipefail': { type: 'boolean', default: false },
  'max-repairs': { type: 'string' },
  'timeout': { type: 'string', multiple: true },
  'prompt': { type: 'string' },
  'task': { type: 'string' },
  'session': { type: 'string' },
  'older-than': { type: 'string' },
  'update': { type: 'boolean', default: false },
  'on-top': { type: 'boolean', default: false },
  'depth': { type: 'string' },
  'env': { type: 'string', multiple: true },
  'ssh-agent': { type: 'boolean', default: false },
  'cache': { type: 'string' },
  'sandbox': { type: 'string', default: 'auto' },
  'image': { type: 'string' },
  'user': { type: 'string' },
  'command-mode': { type: 'string' },
  'state': { type: 'string', default: '.rehearsal' },
  'json': { type: 'boolean', default: false },
  'verbose': { type: 'boolean', default: false },
} as const satisfies OptionTypes;

/** Returns the value in a JSON file. Editors on Windows may write a byte order mark before it. */
export function jsonIn(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
}

/** Returns the fault of words that no option and no command takes, which are often the rest of a value without quotes. */
export function unexpected(words: readonly string[]): string {
  return `"${words.join(' ')}" is unexpected: put a value with spaces in quotes, such as --prompt 'Fix the failing test'`;
}

/** Reads the words of a command line; what is wrong with one of them hides nothing of the others. */
export function readArguments<T extends OptionTypes>(
  args: readonly string[], types: T, faults: Faults,
): { readonly values: Values<T>; readonly positionals: string[] } {
  // A parser that is not strict accepts anything, also as a value.
  const sound = withValues(args, types, faults);
  const { values, tokens } = parseArgs({ args: sound, options: types, allowPositionals: true, strict: false, tokens: true });
  const positionals: string[] = [];
  const given = new Map<string, number>();
  let unknown = false; // what follows an unknown option may be its value
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!unknown) positionals.push(token.value);
      unknown = false;
    } else if (token.kind === 'option') {
      const type = Object.hasOwn(types, token.name) ? types[token.name] : undefined;
      unknown = type === undefined && token.value === undefined;
      given.set(token.name, (given.get(token.name) ?? 0) + 1);
      if (type === undefined) faults.add(`${token.rawName} is not an option${didYouMean(token.name, Object.keys(types), (name) => `--${name}`)}`);
      else faults.add(...faultsOfValue(token.rawName, type, token.value, token.inlineValue));
    }
  }
  for (const [name, count] of given) {
    if (count > 1 && types[name]?.type === 'string' && types[name].multiple !== true) faults.add(`--${name} is given ${count} times: give it once`);
  }
  return { values: typed(values, types), positionals };
}

/** Removes options that lack their value and are followed by another option. */
function withValues(args: readonly string[], types: OptionTypes, faults: Faults): string[] {
  const typeOf = (word = '') => word.startsWith('--') && Object.hasOwn(types, word.slice(2).split('=')[0]) ? types[word.slice(2).split('=')[0]] : undefined;
  return args.filter((word, index) => {
    if (word.includes('=') || typeOf(word)?.type !== 'string' || typeOf(args[index + 1]) === undefined) return true;
    faults.add(`${word} has no value: add one after it`);
    return false;
  });
}

function faultsOfValue(option: string, { type }: OptionType, value: string | undefined, inline: boolean | undefined): string[] {
  if (type === 'boolean') return value === undefined ? [] : [`${option}=${value}: ${option} takes no value`];
  if (value === undefined) return [`${option} has no value: add one after it`];
  return inline !== true && value.startsWith('-') ? [`${option} is followed by "${value}", which looks like another option: write ${option}=${value} if it is the value`] : [];
}

/** The values of options, as a strict parser returns them. */
export type Values<T extends OptionTypes> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/** Says what the values are once none has the wrong type: one without its value is left out. */
function typed<T extends OptionTypes>(values: { readonly [name: string]: unknown }, types: OptionTypes): Values<T> {
  const sound = ([name, value]: readonly [string, unknown]) => {
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type?.multiple) return [name, (value as unknown[]).filter((each) => typeof each === 'string')];
    return [name, typeof value === type?.type ? value : type?.default];
  };
  return Object.fromEntries(Object.entries(values).map(sound)) as Values<T>;
}
