import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { SmokeTest } from './smoke-test';

/** Properties of a `RuntimeRollout`. */
export interface RuntimeRolloutProps {
  /** The runtime whose versions are rolled out: an `AgentRuntime` or an official `Runtime` of this app. A runtime has at most one rollout. */
  readonly runtime: agentcore.Runtime;

  /**
   * The tests that a version must pass before its endpoint is used, at most 20. With an empty list, versions are not tested.
   *
   * @default - bash and git answer, and the runtime's session storage is writable if it has any
   */
  readonly smokeTests?: SmokeTest[];

  /**
   * The number of endpoints that are kept whatever their age, including the current one: 1 to 9.
   *
   * A runtime has at most 10 endpoints, including `DEFAULT`, unless the quota is raised. With 9, there is no room for the next version.
   *
   * @default 4
   */
  readonly keepEndpoints?: number;

  /**
   * The time for which a replaced endpoint is kept, whatever the number of endpoints: up to 3,650 days. The session storage of all sessions on an
   * endpoint is deleted with it. By itself, session storage lives for 14 days after its last use.
   *
   * An endpoint that the newest deployment replaced is always kept, for a rollback.
   *
   * @default Duration.days(14)
   */
  readonly retention?: Duration;

  /**
   * The timeout of a rollout, 1 to 50 minutes. A deployment waits for its rollout, which fails after this time and reports what it waited for.
   *
   * @default Duration.minutes(30)
   */
  readonly timeout?: Duration;

  /**
   * The names of the state machines whose executions a rollout waits for: it does not remove an endpoint that one of them uses.
   *
   * The definition of such a state machine names the endpoint, so that a reference to the state machine would be circular.
   *
   * @default - none; an endpoint that is not kept is removed even if it is in use
   */
  readonly drainStateMachineNames?: string[];

  /**
   * The time for which a deployment waits for such executions, from its start; at most `timeout`. An endpoint that is still in use after that is kept
   * until the next deployment.
   *
   * @default Duration.minutes(10) - or `timeout`, if that is shorter
   */
  readonly drainTimeout?: Duration;

  /**
   * Determines whether versions are deleted that no endpoint uses and that are older than the newest one. A runtime has at most 1,000 versions.
   *
   * Grants permission to `DeleteAgentRuntime` on this runtime, which is the only operation that deletes a version.
   *
   * @default false
   */
  readonly deleteUnusedVersions?: boolean;

  /**
   * The removal policy of the endpoints. When they are deleted, so is the session storage of their sessions. With `RETAIN` they stay until the
   * runtime is deleted, and a rollout with the same name in this stack takes them over. If such a rollout cannot be created, only endpoints that
   * never passed are removed.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The retention period of the functions' logs. They contain names, versions and states, never the output of a command.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * The key that encrypts the functions' logs.
   *
   * The policy of a key in this app gets the statement that CloudWatch Logs needs. The policy of an imported key must allow the service
   * `logs.<region>.amazonaws.com` the actions `kms:Decrypt`, `kms:Encrypt`, `kms:GenerateDataKey*` and `kms:ReEncrypt*`, under the
   * condition that `kms:EncryptionContext:aws:logs:arn` is like `arn:aws:logs:<region>:<account>:log-group:*`.
   *
   * @default - the encryption of CloudWatch Logs
   */
  readonly encryptionKey?: kms.IKey;
}
