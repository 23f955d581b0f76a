import { MASK } from '../../src/shared/mask.client';

/** Replaces what is known to be nobody's to see in all texts of a value. */
export type Mask = <T>(value: T) => T;

/** Characters of the shortest value that is masked: shorter ones, such as `true` or `test`, are words of any output. */
const SHORTEST = 8;

/** For the values of variables that sessions were given, and each line of one that has several. A path is none that anybody hides. */
export function maskOf(environment: Readonly<Record<string, string>> = {}): Mask {
  const secrets = Object.values(environment)
    .filter((value) => !value.startsWith('/'))
    .flatMap((value) => [value, ...value.split('\n')].map((part) => part.trim()))
    .filter((value) => value.length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  const masked = (value: unknown): unknown => {
    if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, () => MASK), value);
    if (Array.isArray(value)) return value.map(masked);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, masked(each)])) : value;
  };
  return secrets.length === 0 ? (value) => value : <T>(value: T) => masked(value) as T;
}
