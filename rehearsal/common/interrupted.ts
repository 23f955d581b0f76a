/** An interrupt (Ctrl-C) ended the command before it had started anything. */
export class InterruptedError extends Error {
  readonly name = 'InterruptedError';
}
