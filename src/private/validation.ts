import type { IConstruct } from 'constructs';

/**
 * One line of a table of rules.
 *
 * A rule is asked only whether it is broken; that a value is a token, and so cannot be judged, is the table's caller to know.
 */
export interface Rule<T> {
  /** Whether the value breaks the rule. */
  readonly broken: (value: T) => boolean;
  /** What to tell the user: the prop in quotes, the bad value, what is allowed, the fix. */
  readonly message: (value: T) => string;
}

/** The messages of all rules that the value breaks, in the order of the table. */
export function faultsOf<T>(value: T, rules: readonly Rule<T>[]): string[] {
  return rules.filter((rule) => rule.broken(value)).map((rule) => rule.message(value));
}

/** The message of the first rule that the value breaks, for tables whose later rules assume that the earlier ones hold. */
export function firstFaultOf<T>(value: T, rules: readonly Rule<T>[]): string[] {
  return faultsOf(value, rules).slice(0, 1);
}

/** Thrown at synth when props break rules. Carries all of them, since a user should not have to fix one to learn of the next. */
export class ValidationError extends Error {
  constructor(public readonly faults: readonly string[], public readonly constructPath: string) {
    super(`${faults.join('\n')}\n  at ${constructPath}`);
    this.name = 'ValidationError';
  }
}

/** Throws once for all faults, and not at all when there are none. */
export function throwOnFaults(scope: IConstruct, faults: readonly string[]): void {
  if (faults.length > 0) throw new ValidationError(faults, scope.node.path);
}
