/** Loads the functions for what did not pass: most steps do without them. */
export function afterFailure() {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- on demand; import() needs a file extension, which tests lack
  return require('./repair') as typeof import('./repair');
}
