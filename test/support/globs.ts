/** Whether two patterns have a text in common. */

/** Characters that are allowed: all, all but the colon, all but the slash, all but both. */
type Kind = 'any' | 'path' | 'name' | 'part';
const EXCLUDED: { readonly [kind in Kind]: string } = { any: '', path: ':', name: '/', part: '/:' };

/** A character, or any of a kind; `many` may be none and any number of it. */
interface Token {
  readonly set: string | Kind;
  readonly many?: boolean;
}

export type Pattern = readonly Token[];

/** What the values of variables in ARNs may be. Ids and names have no slashes, but some have colons. */
const KINDS: readonly [variable: RegExp, kind: Kind][] = [
  [/^(Partition|Region|Account)$/, 'part'],
  [/^(LogGroupName|LogStreamName|\w+WithPath)$/, 'path'],
  [/^ObjectName$/, 'any'],
  [/^/, 'name'],
];

/**
 * - `policy`: `*` and `?` as in policies
 * - `arn`: `${X}` is at least one character of those that `KINDS` has for it
 * - `key`: the same, for condition keys, where `<x>` stands for a text too
 * - `literal`: as it is, in any case
 */
export function patternOf(text: string, kind: 'policy' | 'arn' | 'key' | 'literal'): Pattern {
  const parts = kind === 'policy' ? text.split(/([*?])/) : kind === 'literal' ? [text] : text.split(/(\$\{\w+\}|<\w+>|\*)/);
  return parts.flatMap((part): Token[] => {
    if (part === '*' && kind !== 'literal') return [{ set: 'any', many: true }];
    if (part === '?' && kind === 'policy') return [{ set: 'any' }];
    const [, variable] = kind === 'policy' || kind === 'literal' ? [] : /^[$<]\{?(\w+)[}>]$/.exec(part) ?? [];
    if (variable !== undefined) {
      const set = kind === 'key' ? 'any' : KINDS.find(([names]) => names.test(variable))![1];
      return [{ set }, { set, many: true }];
    }
    return [...kind === 'key' || kind === 'literal' ? part.toLowerCase() : part].map((set) => ({ set }));
  });
}

export function globsMeet(one: Pattern, other: Pattern): boolean {
  const seen = new Map<number, boolean>();
  const from = (i: number, j: number): boolean => {
    const id = i * (other.length + 1) + j;
    const known = seen.get(id);
    if (known !== undefined) return known;
    const found = step(one[i], other[j], i, j);
    seen.set(id, found);
    return found;
  };
  const step = (a: Token | undefined, b: Token | undefined, i: number, j: number): boolean => {
    if (a === undefined && b === undefined) return true;
    if (a?.many && from(i + 1, j)) return true;
    if (b?.many && from(i, j + 1)) return true;
    if (a === undefined || b === undefined || !share(a.set, b.set) || (a.many && b.many)) return false;
    return from(a.many ? i : i + 1, b.many ? j : j + 1);
  };
  return from(0, 0);
}

function share(a: string, b: string): boolean {
  if (!(a in EXCLUDED)) return b in EXCLUDED ? !EXCLUDED[b as Kind].includes(a) : a === b;
  return b in EXCLUDED || share(b, a);
}
