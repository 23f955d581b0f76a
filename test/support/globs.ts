/** Determines whether two patterns can match the same text. */

/** Sets of allowed characters: all, all but the colon, all but the slash, all but both. */
type Kind = 'any' | 'path' | 'name' | 'part';
const EXCLUDED: { readonly [kind in Kind]: string } = { any: '', path: ':', name: '/', part: '/:' };

/** A character or a set; `many` means any number of them, including none. */
interface Token {
  readonly set: string | Kind;
  readonly many?: boolean;
}

export type Pattern = readonly Token[];

/** The possible values of variables in ARNs. Ids and names contain no slashes, but some contain colons. */
const KINDS: readonly [variable: RegExp, kind: Kind][] = [
  [/^(Partition|Region|Account)$/, 'part'],
  [/^(LogGroupName|LogStreamName|\w+WithPath)$/, 'path'],
  [/^ObjectName$/, 'any'],
  [/^/, 'name'],
];

/**
 * - `policy`: `*` and `?` as in policies
 * - `arn`: `${X}` is one or more characters of those that `KINDS` lists for it
 * - `key`: like `arn`, for condition keys, where `<x>` also stands for text
 * - `literal`: the exact text, ignoring case
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
