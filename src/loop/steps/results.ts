import { createHash } from 'crypto';

/** The number of times that a word occurs, and the kind of its value. */
type Kind =
  /** Once; the id of a Git object. */
  | 'object'
  /** Once; any text. */
  | 'text'
  /** At most once; any text. */
  | 'maybe'
  /** Any number of values, some of which may be left out, and always their total number. */
  | 'list';

/** The words that each function of the workspace script must report when it ends: exactly these. */
export const WORKSPACE_WORDS = {
  prepare: { 'base': 'object', 'workspace': 'text', 'stands-on': 'object', 'moves': 'maybe', 'work': 'list' },
  move: { 'base': 'object', 'stands-on': 'object', 'updated-from': 'maybe', 'came-from': 'maybe', 'work': 'list', 'aside': 'list', 'in-the-way': 'list' },
  bootstrapped: { changed: 'list' },
  snapshot: { 'tree': 'object', 'base-tree': 'object', 'pinned': 'maybe', 'ignored': 'list', 'empty': 'list', 'links': 'list', 'private': 'list', 'left-out': 'list', 'judging': 'list', 'protected': 'list' },
  verify: { tree: 'object', changed: 'list', left: 'list' },
  surroundings: { tip: 'maybe', shallow: 'maybe', ref: 'maybe', newest: 'maybe', behind: 'maybe', submodules: 'list' },
  adopt: { base: 'object', merges: 'text', tip: 'maybe', elsewhere: 'maybe' },
  away: { away: 'list' },
  pins: {},
  commit: { commit: 'object', pushed: 'maybe', found: 'maybe', rejected: 'maybe', ready: 'maybe' },
  offer: { bytes: 'text', changed: 'list' },
  rebase: { base: 'object', tip: 'text' },
  fresh: { 'base': 'object', 'workspace': 'text', 'stands-on': 'object', 'moves': 'maybe', 'work': 'list', 'have': 'text', 'separate': 'maybe' },
  made: { made: 'maybe' },
  remake: { commit: 'text' },
  pack: { commit: 'object', bytes: 'text', tip: 'maybe' },
  receive: { tree: 'object', onto: 'maybe', submodules: 'list', judging: 'list', protected: 'list' },
  claim: { holder: 'maybe', until: 'maybe' },
  release: {},
} as const satisfies { readonly [name: string]: { readonly [word: string]: Kind } };

export type WorkspaceFunction = keyof typeof WORKSPACE_WORDS;

/** The values of a list that fit into a record, and their total number. */
export interface NameList {
  /** The names that fit into a record: at most 10, with at most 1,000 characters in total. */
  readonly names: readonly string[];
  /** The total number of names. */
  readonly count: number;
}

/** Returns the names of a list, and a last line with the number of names that were left out. */
export function named({ names, count }: NameList): string[] {
  return [...names, ...(count > names.length ? [`(and ${count - names.length} more)`] : [])];
}

/** Returns the part of a list that fits into a record, which is carried from state to state, or nothing for an empty list. */
export function brief({ names, count }: NameList, length = 1_000): NameList | undefined {
  const short = names.filter((_, index) => index < 10 && names.slice(0, index + 1).join('').length <= length);
  return count === 0 ? undefined : { names: short.length > 0 ? short : [`${names[0].slice(0, length)}…`], count };
}

/** Returns the union of two lists. The count is a minimum: duplicates among the names that were left out are unknown. */
export function united(a: NameList | undefined, b: NameList | undefined): NameList | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const names = [...new Set([...a.names, ...b.names])];
  return brief({ names, count: Math.max(a.count, b.count, names.length) });
}

/** Returns an object without the properties that have no value, as JSON would have it. */
export function defined<T extends object>(properties: T): Partial<T> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as Partial<T>;
}

type ValueOf<K> = K extends 'list' ? NameList : K extends 'maybe' ? string | undefined : string;

export type Results<F extends WorkspaceFunction> = { readonly [W in keyof (typeof WORKSPACE_WORDS)[F]]: ValueOf<(typeof WORKSPACE_WORDS)[F][W]> };

/** The output of a function of the workspace script has no valid result. */
export class NoResultError extends Error {
  readonly name = 'NoResultError';

  /** @param absent true if the output has no block with the nonce at all */
  constructor(readonly absent: boolean, message: string) {
    super(message);
  }
}

/**
 * Returns the nonce that names the results of one job. A repeated call, which attaches to the job, computes the same nonce; git, hooks, remotes
 * and everything else that the job starts do not receive it. A process that the agent left running can read it from the environment of the job's
 * shell: it protects from accidents, not from an agent that cheats.
 */
export function nonceOf(key: string, job: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify([key, ...job])).digest('hex').slice(0, 32);
}

const OBJECT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Returns the one block of results with the nonce in a log. Throws if a word is missing, duplicate, unknown or invalid. */
export function resultsOf<F extends WorkspaceFunction>(log: string, nonce: string, name: F): Results<F> {
  const said = new Map<string, string[]>();
  for (const line of blockOf(log.split('\n'), nonce)) {
    const space = line.indexOf(' ');
    if (space <= 0) throw new NoResultError(false, `"${line.slice(0, 100)}" is not a word with a value`);
    const word = line.slice(0, space);
    said.set(word, [...said.get(word) ?? [], decoded(line.slice(space + 1))]);
  }
  const kinds: { readonly [word: string]: Kind } = WORKSPACE_WORDS[name];
  const results = Object.fromEntries(Object.entries(kinds).map(([word, kind]) => [word, valueOf(word, kind, said)]));
  if (said.size > 0) throw new NoResultError(false, `unknown words: ${[...said.keys()].join(', ')}`);
  return results as Results<F>;
}

function blockOf(lines: readonly string[], nonce: string): string[] {
  const begin = lines.indexOf(`@result ${nonce}`);
  if (begin < 0) throw new NoResultError(true, 'the output has no result');
  const ends = lines.flatMap((line, index) => line.startsWith(`@end ${nonce} `) ? [index] : []);
  const block = lines.slice(begin + 1, ends[0]);
  if (lines.lastIndexOf(`@result ${nonce}`) !== begin || ends.length !== 1 || lines[ends[0]] !== `@end ${nonce} ${block.length}` || ends[0] < begin) {
    throw new NoResultError(false, 'the result is incomplete');
  }
  return block;
}

/** Removes the word from what was reported, and returns its value. */
function valueOf(word: string, kind: Kind, said: Map<string, string[]>): unknown {
  const values = taken(word, said);
  if (kind === 'list') {
    const [count, ...more] = taken(`${word}-count`, said);
    const number = /^\d{1,9}$/.test(count ?? '') ? Number(count) : -1;
    if (more.length > 0 || number < values.length || (number > 0) !== (values.length > 0)) throw new NoResultError(false, `the count of "${word}" is missing or wrong`);
    return { names: values, count: number };
  }
  if (values.length > 1) throw new NoResultError(false, `"${word}" occurs ${values.length} times`);
  if (kind === 'maybe') return values[0];
  if (values.length === 0) throw new NoResultError(false, `"${word}" is missing`);
  if (kind === 'object' && !OBJECT.test(values[0])) throw new NoResultError(false, `"${word}" is not an object id: ${JSON.stringify(values[0].slice(0, 100))}`);
  return values[0];
}

function taken(word: string, said: Map<string, string[]>): string[] {
  const values = said.get(word) ?? [];
  said.delete(word);
  return values;
}

function decoded(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}
