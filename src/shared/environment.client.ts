/** A setting that the construct puts on its function; its absence is a mistake of ours, not of a user. */
export function requireEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** A number that may be set, such as a shorter wait in tests. */
export function numberFromEnv(name: string, otherwise: number): number {
  const value = process.env[name];
  return value === undefined || value === '' ? otherwise : Number(value);
}
