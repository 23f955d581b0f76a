import { SMOKE_TEST_KINDS } from './constants';
import { digest } from './fingerprint';

/** A smoke test as the template has it; CloudFormation makes a string of everything. */
export interface SmokeTestProperties {
  readonly Name: string;
  readonly Kind: typeof SMOKE_TEST_KINDS[keyof typeof SMOKE_TEST_KINDS];
  readonly Command?: string;
  readonly ExitCode?: string;
  /** JSON. */
  readonly Payload?: string;
  /** A regular expression. */
  readonly Expect?: string;
  readonly TimeoutSeconds: string;
}

/** Properties of the custom resource. */
export interface RolloutProperties {
  readonly RuntimeId: string;
  readonly RuntimeArn: string;
  readonly RuntimeVersion: string;
  readonly SmokeTests: readonly SmokeTestProperties[];
  readonly KeepEndpoints: string;
  readonly RetentionSeconds: string;
  readonly TimeoutSeconds: string;
  readonly DeleteUnusedVersions: string;
  /** ARNs. */
  readonly DrainStateMachines: readonly string[];
  readonly DrainSeconds: string;
  /** Whether endpoints stay when the rollout leaves the stack. */
  readonly RetainEndpoints: string;
}

/** What the provider framework hands over: CloudFormation's event, with what `onEvent` returned. */
export interface RolloutEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: RolloutProperties;
  /** Milliseconds since the epoch at which the request came. */
  readonly Began?: number;
}

export interface SmokeTestRequest {
  readonly name: string;
  readonly kind: SmokeTestProperties['Kind'];
  readonly command: string;
  readonly exitCode: number;
  readonly payload: string;
  readonly expect?: string;
  readonly timeoutSeconds: number;
}

export interface RolloutRequest {
  readonly type: RolloutEvent['RequestType'];
  readonly id: string;
  readonly rollout: string;
  readonly began: number;
  readonly runtimeId: string;
  readonly runtimeArn: string;
  readonly version: string;
  readonly tests: readonly SmokeTestRequest[];
  /** Tells this set of tests from another, whatever their timeouts. */
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
 * The physical id. It names the rollout, not an endpoint, and never changes: CloudFormation deletes what it has under a former one.
 *
 * Given back as it came: for a create that it cancelled, CloudFormation makes one up.
 */
export function physicalIdOf(event: RolloutEvent): string {
  return event.PhysicalResourceId ?? rolloutOf(event);
}

/** The rollout's name, the same in all its requests. */
function rolloutOf({ StackId, LogicalResourceId }: RolloutEvent): string {
  return `rollout-${digest([StackId, LogicalResourceId])}`;
}

export function requestOf(event: RolloutEvent, now: number): RolloutRequest {
  const properties = event.ResourceProperties;
  const tests = (properties.SmokeTests ?? []).map((test): SmokeTestRequest => ({
    name: test.Name,
    kind: test.Kind,
    command: test.Command ?? '',
    exitCode: Number(test.ExitCode ?? 0),
    payload: test.Payload ?? '',
    expect: test.Expect,
    timeoutSeconds: Number(test.TimeoutSeconds),
  }));
  return {
    type: event.RequestType,
    id: event.RequestId,
    rollout: rolloutOf(event),
    began: event.Began ?? now,
    runtimeId: properties.RuntimeId,
    runtimeArn: properties.RuntimeArn,
    version: properties.RuntimeVersion,
    tests,
    testsDigest: digest(tests.map(({ timeoutSeconds, name, ...what }) => what)),
    keepEndpoints: Number(properties.KeepEndpoints),
    retentionSeconds: Number(properties.RetentionSeconds),
    timeoutSeconds: Number(properties.TimeoutSeconds),
    deleteUnusedVersions: properties.DeleteUnusedVersions === 'true',
    drainStateMachines: properties.DrainStateMachines ?? [],
    drainSeconds: Number(properties.DrainSeconds ?? 0),
    retainEndpoints: properties.RetainEndpoints === 'true',
  };
}
