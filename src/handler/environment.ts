/** A number that may be set, such as a shorter wait in tests. */
export function numberFromEnv(name: string, otherwise: number): number {
  const value = process.env[name];
  return value === undefined || value === '' ? otherwise : Number(value);
}
