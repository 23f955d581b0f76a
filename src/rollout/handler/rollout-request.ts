import { createHash } from 'crypto';
import { SmokeTestProperties } from './constants';

/** The properties of the custom resource. */
export interface RolloutProperties {
  readonly RuntimeId: string;
  readonly RuntimeArn: string;
  readonly RuntimeVersion: string;
  readonly SmokeTests: readonly SmokeTestProperties[];
  readonly KeepEndpoints: string;
  readonly RetentionSeconds: string;
  readonly TimeoutSeconds: string;
  readonly DeleteUnusedVersions: string;
  /** The ARNs of the state machines. */
  readonly DrainStateMachines: readonly string[];
  readonly DrainSeconds: string;
  /** `true` if endpoints stay when the rollout is removed from the stack. */
  readonly RetainEndpoints: string;
}

/** The event of the provider framework: CloudFormation's, with the values that `onEvent` returned. */
export interface RolloutEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: RolloutProperties;
  /** The time at which the request came, in milliseconds since the epoch. */
  readonly Began?: number;
}

/** An event with its values parsed. */
export interface RolloutRequest {
  readonly type: RolloutEvent['RequestType'];
  readonly id: string;
  readonly rollout: string;
  readonly began: number;
  readonly runtimeId: string;
  readonly runtimeArn: string;
  readonly version: string;
  readonly tests: readonly SmokeTestProperties[];
  /** Identifies the set of tests, whatever their names and timeouts. */
  readonly testsDigest: string;
  readonly keepEndpoints: number;
  readonly retentionSeconds: number;
  readonly timeoutSeconds: number;
  readonly deleteUnusedVersions: boolean;
  readonly drainStateMachines: readonly string[];
  readonly drainSeconds: number;
  readonly retainEndpoints: boolean;
}

/**
 * Returns the physical id. It names the rollout, not an endpoint, and never changes: CloudFormation deletes the resource of a former id.
 *
 * An id in the event is returned unchanged: CloudFormation makes one up for a create that it cancelled.
 */
export function physicalIdOf(event: RolloutEvent): string {
  return event.PhysicalResourceId ?? rolloutOf(event);
}

/** Returns the name of the rollout, which is the same in all its requests. */
function rolloutOf({ StackId, LogicalResourceId }: RolloutEvent): string {
  return `rollout-${digest([StackId, LogicalResourceId])}`;
}

/** Parses an event. */
export function requestOf(event: RolloutEvent, now: number): RolloutRequest {
  const properties = event.ResourceProperties;
  const tests = properties.SmokeTests ?? [];
  return {
    type: event.RequestType,
    id: event.RequestId,
    rollout: rolloutOf(event),
    began: event.Began ?? now,
    runtimeId: properties.RuntimeId,
    runtimeArn: properties.RuntimeArn,
    version: properties.RuntimeVersion,
    tests,
    testsDigest: digest(tests.map(({ TimeoutSeconds, Name, ...what }) => what)),
    keepEndpoints: Number(properties.KeepEndpoints),
    retentionSeconds: Number(properties.RetentionSeconds),
    timeoutSeconds: Number(properties.TimeoutSeconds),
    deleteUnusedVersions: properties.DeleteUnusedVersions === 'true',
    drainStateMachines: properties.DrainStateMachines ?? [],
    drainSeconds: Number(properties.DrainSeconds ?? 0),
    retainEndpoints: properties.RetainEndpoints === 'true',
  };
}

/** Returns 15 characters that are the same for equal values, whatever the order of their properties. */
export function digest(value: unknown): string {
  const canonical = JSON.stringify(value, (_, item: unknown) => (isPlainObject(item)
    ? Object.fromEntries(Object.entries(item).filter(([, member]) => member !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)))
    : item));
  return createHash('sha256').update(canonical).digest('hex').slice(0, 15);
}

function isPlainObject(item: unknown): item is object {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}
