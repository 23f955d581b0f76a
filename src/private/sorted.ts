/**
 * The same value with the keys of every map in it in order, so that a template is the same at each synth: a map from Java or Go has another
 * order in each process. What is no plain map, such as a token or a construct, stays as it is.
 */
export function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => sorted(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1);
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item as unknown)])) as T;
}
