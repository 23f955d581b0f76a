import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { SmokeTest } from './smoke-test';

/** Properties for `RuntimeRollout`. */
export interface RuntimeRolloutProps {
  /** The runtime whose versions are rolled out: an `AgentRuntime` or an official `Runtime` of this app. A runtime can have one rollout. */
  readonly runtime: agentcore.Runtime;

  /**
   * The tests that a version must pass before its endpoint is used, at most 20. If the list is empty, versions are not tested.
   *
   * @default - tests that bash and git run, and that the session storage of the runtime is writable if it has any
   */
  readonly smokeTests?: SmokeTest[];

  /**
   * The number of endpoints to keep whatever their age, including the current one: 1 to 9.
   *
   * The quota of a runtime is 10 endpoints, including `DEFAULT`, unless it is raised. With 9, there is no room for the next version.
   *
   * @default 4
   */
  readonly keepEndpoints?: number;

  /**
   * The time to keep a replaced endpoint, whatever the number of endpoints: 0 to 3,650 days. When an endpoint is removed, the service deletes the
   * session storage of all its sessions. It also deletes session storage 14 days after its last use.
   *
   * The endpoint that the latest deployment replaced is always kept, for a rollback.
   *
   * @default Duration.days(14)
   */
  readonly retention?: Duration;

  /**
   * The timeout of a rollout: 1 to 50 minutes, because CloudFormation waits for an hour at most. The deployment then fails, and the error says what
   * the rollout waited for.
   *
   * @default Duration.minutes(30)
   */
  readonly timeout?: Duration;

  /**
   * The names of the state machines whose executions a rollout waits for, so that it does not remove an endpoint that one of them uses.
   *
   * The prop takes names, because the definition of such a state machine contains the endpoint: a reference to it would be circular.
   *
   * @default - none; an endpoint that is not kept is removed even if it is in use
   */
  readonly drainStateMachineNames?: string[];

  /**
   * The maximum time, from the start of the rollout, to wait for executions of `drainStateMachineNames`: 0 to `timeout`. An endpoint that is still
   * in use after that is kept until the next deployment.
   *
   * @default Duration.minutes(10) - or `timeout`, if that is shorter
   */
  readonly drainTimeout?: Duration;

  /**
   * Determines whether a rollout deletes versions that no endpoint uses, except the newest one. A runtime can have at most 1,000 versions.
   *
   * If `true`, the rollout gets permission for `DeleteAgentRuntime` on this runtime, because it is the only operation that deletes a version.
   *
   * @default false
   */
  readonly deleteUnusedVersions?: boolean;

  /**
   * The removal policy of the endpoints. When an endpoint is deleted, the service deletes the session storage of its sessions.
   *
   * With `RETAIN`, endpoints remain until the runtime is deleted, and a rollout with the same name in this stack takes them over. If the creation of
   * such a rollout fails, only endpoints that never passed their tests are removed.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The retention period of the functions' logs. They contain names, versions and states, but not the output of commands.
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
