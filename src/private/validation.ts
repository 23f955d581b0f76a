import { Duration, IResource, Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export * from './rule';

/** Props break rules. The error has all faults, so that a user does not fix one only to learn of the next. */
export class ValidationError extends Error {
  constructor(public readonly faults: readonly string[], public readonly constructPath: string) {
    super(`${faults.join('\n')}\n  at ${constructPath}`);
    this.name = 'ValidationError';
  }
}

/** Throws one error for all faults, or nothing if there are none. */
export function throwOnFaults(scope: IConstruct, faults: readonly string[]): void {
  if (faults.length > 0) throw new ValidationError(faults, scope.node.path);
}

/** Returns the seconds of a duration, rounded up, or the default if it is not known at synth. `durationFaults` reports fractions. */
export function secondsOf(value: Duration | undefined, otherwise: number): number {
  return value === undefined || value.isUnresolved() ? otherwise : Math.ceil(value.toSeconds({ integral: false }));
}

/** Returns a fault for a duration that is not in whole seconds or is out of bounds. A duration that is not known at synth passes. */
export function durationFaults(prop: string, value: Duration | undefined, min: number, max: number, tooLong: string): string[] {
  if (value === undefined || value.isUnresolved() || Token.isUnresolved(max)) return [];
  const seconds = value.toSeconds({ integral: false });
  if (!Number.isInteger(seconds)) return [`"${prop}" must be a whole number of seconds, not ${seconds}: round it`];
  if (seconds >= min && seconds <= max) return [];
  return [`"${prop}" must be ${min} to ${max} seconds, not ${seconds}: ${seconds > max ? tooLong : 'raise it'}`];
}

/** Returns a fault for a duration that is not known at synth, where others are compared with it. */
export function unknownDurationFaults(prop: string, value: Duration | undefined): string[] {
  return value?.isUnresolved() ? [`"${prop}" must be known at synth, since other limits depend on it: use a literal`] : [];
}

/** Returns a fault for each name that is not the name of a shell variable. */
export function environmentFaults(prop: string, environment: { readonly [name: string]: string }): string[] {
  return Object.keys(environment).filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)).map((name) =>
    `"${prop}" must have names of letters, digits and "_" that do not begin with a digit, not "${name}": rename it`);
}

/** Returns a fault for a regular expression that is empty or cannot be compiled. A pattern that is not known at synth passes. */
export function patternFaults(prop: string, pattern: string): string[] {
  if (Token.isUnresolved(pattern)) return [];
  try {
    return pattern === '' || !new RegExp(pattern) ? [`"${prop}" must not have an empty pattern, which matches every line: remove it`] : [];
  } catch (error) {
    return [`"${prop}" must have regular expressions of JavaScript, not "${pattern}" (${(error as Error).message}): correct it`];
  }
}

/** Returns a fault for a resource in another Region than a construct, as far as both are known at synth. */
export function regionFaults(prop: string, resource: IResource | undefined, scope: IConstruct, of = 'loop'): string[] {
  return resource === undefined ? [] : placeFaults(prop, `Region of the ${of}`, resource.env.region, Stack.of(scope).region);
}

/** Returns a fault for the account of a resource if it is not that of a construct, as far as both are known at synth. */
export function accountFaults(prop: string, account: string, scope: IConstruct, of = 'loop'): string[] {
  return placeFaults(prop, `account of the ${of}`, account, Stack.of(scope).account);
}

function placeFaults(prop: string, place: string, actual: string, expected: string): string[] {
  if (Token.compareStrings(actual, expected) !== TokenComparison.DIFFERENT) return [];
  return [`"${prop}" must be in the ${place}, ${expected}, not in ${actual}: use another one`];
}
