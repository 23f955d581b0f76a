/**
 * One rule of a table. Both constructs and handlers have tables of rules: this file imports nothing.
 *
 * A rule does not know tokens: a table that may be given one has a rule that accepts it.
 */
export interface Rule<T> {
  /** Determines whether the value breaks the rule. */
  readonly broken: (value: T) => boolean;
  /** The message for the user: `"prop" must …, not …: fix`, in lower case, without a full stop. */
  readonly message: (value: T) => string;
}

/** Returns the messages of all rules that the value breaks, in the order of the table. */
export function faultsOf<T>(value: T, rules: readonly Rule<T>[]): string[] {
  return rules.filter((rule) => rule.broken(value)).map((rule) => rule.message(value));
}

/** Returns the message of the first rule that the value breaks, for tables whose later rules assume that the earlier ones hold. */
export function firstFaultOf<T>(value: T, rules: readonly Rule<T>[]): string[] {
  return faultsOf(value, rules).slice(0, 1);
}
