/**
 * Returns the same value with the keys of every map in order, so that each synth makes the same template: a map from Java or Go has another
 * order in each process. Objects that are not plain maps, such as tokens and constructs, stay as they are.
 */
export function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => sorted(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1);
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item as unknown)])) as T;
}
