import { Duration, Token } from 'aws-cdk-lib';

/** A fault for a duration outside of its bounds, in seconds. */
export function durationFaults(prop: string, value: Duration | undefined, min: number, max: number, otherwise: string): string[] {
  if (value === undefined || value.isUnresolved() || Token.isUnresolved(max)) return [];
  const seconds = value.toSeconds({ integral: false });
  if (!Number.isInteger(seconds)) return [`"${prop}" is ${seconds} seconds, whole seconds are allowed: round it`];
  if (seconds >= min && seconds <= max) return [];
  return [`"${prop}" is ${seconds} seconds, ${min} to ${max} are allowed: ${seconds > max ? otherwise : 'make it longer'}`];
}
