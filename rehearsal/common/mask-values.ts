import { MASK, Mask } from '../../src/handler/mask';

/** A value that nobody is to see, in the lines that it has. */
export interface Secret {
  /** The name of the variable. */
  readonly name: string;
  readonly parts: readonly string[];
}

/** Characters of the shortest value that is masked: shorter ones, such as `true` or `test`, are words of any output. */
const SHORTEST = 8;

/** The values of variables that sessions were given, and each line of one that has several. A path is none that anybody hides. */
export function secretsOf(environment: Readonly<Record<string, string>> = {}): Secret[] {
  return Object.entries(environment)
    .filter(([, value]) => !value.startsWith('/'))
    .map(([name, value]) => ({ name, parts: [value, ...value.split('\n')].map((part) => part.trim()).filter((part) => part.length >= SHORTEST) }))
    .filter(({ parts }) => parts.length > 0);
}

export function maskOf(environment?: Readonly<Record<string, string>>): Mask {
  const parts = secretsOf(environment).flatMap((secret) => secret.parts).sort((a, b) => b.length - a.length);
  const masked = (value: unknown): unknown => {
    if (typeof value === 'string') return parts.reduce((text, part) => text.replaceAll(part, () => MASK), value);
    if (Array.isArray(value)) return value.map(masked);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, masked(each)])) : value;
  };
  return parts.length === 0 ? (value) => value : <T>(value: T) => masked(value) as T;
}
