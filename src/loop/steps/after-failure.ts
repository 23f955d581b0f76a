/** Loads the functions for what did not pass: most steps do without them. */
export function afterFailure() {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only after a failure; Jest cannot import() without ".ts"
  return require('./repair') as typeof import('./repair');
}
