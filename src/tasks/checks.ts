import { Duration, Token } from 'aws-cdk-lib';
import { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { LIMITS } from '../jobs/constants';
import { lifecycleOf } from '../runtime/introspection';

/** The longest that a session of the runtime lives, in seconds, as far as it is known at synth: never more than the service allows. */
export function sessionSecondsOf(runtime: IBedrockAgentRuntime): number {
  const lifetime = lifecycleOf(runtime)?.maxLifetime;
  return lifetime === undefined || Token.isUnresolved(lifetime) ? LIMITS.sessionSeconds : Math.min(lifetime, LIMITS.sessionSeconds);
}

/** Seconds of a duration for a sum; a fault of its own is made of one that has no whole seconds, or none that are known at synth. */
export function secondsOf(value: Duration | undefined, otherwise: number): number {
  return value === undefined || value.isUnresolved() ? otherwise : Math.ceil(value.toSeconds({ integral: false }));
}

/** A fault for a duration that is not known at synth, where others are compared with it. */
export function unknownDurationFaults(prop: string, value: Duration | undefined): string[] {
  return value?.isUnresolved() ? [`"${prop}" is only known when it is deployed, but the limits around it are worked out at synth: give a value`] : [];
}

/** Faults for names of variables that no shell takes. */
export function environmentFaults(prop: string, environment: { readonly [name: string]: string }): string[] {
  return Object.keys(environment).filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)).map((name) =>
    `"${prop}" has the name "${name}", letters, digits and "_" are allowed, the first no digit: rename it`);
}

/** A fault for a duration outside of its bounds, in seconds. */
export function durationFaults(prop: string, value: Duration | undefined, min: number, max: number, otherwise: string): string[] {
  if (value === undefined || value.isUnresolved() || Token.isUnresolved(max)) return [];
  const seconds = value.toSeconds({ integral: false });
  if (!Number.isInteger(seconds)) return [`"${prop}" is ${seconds} seconds, whole seconds are allowed: round it`];
  if (seconds >= min && seconds <= max) return [];
  return [`"${prop}" is ${seconds} seconds, ${min} to ${max} are allowed: ${seconds > max ? otherwise : 'make it longer'}`];
}
