import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** Options for each alarm of a loop. */
export interface LoopAlarmOptions {
  /**
   * The name of the alarm: 1 to 255 characters.
   *
   * @default - a name that CloudFormation generates
   */
  readonly alarmName?: string;

  /**
   * Actions for when the alarm goes off, such as an `SnsAction`.
   *
   * If an SNS topic has a policy, the policy must allow `sns:Publish` to `cloudwatch.amazonaws.com`. If a key encrypts the topic, the policy of the
   * key must allow `kms:Decrypt` and `kms:GenerateDataKey*` to it. An `SnsAction` does not add these statements.
   *
   * @default - no actions
   */
  readonly actions?: cloudwatch.IAlarmAction[];
}

/** Options for `LoopAlarms.failuresInARow`. */
export interface FailuresInARowOptions extends LoopAlarmOptions {
  /**
   * The number of failed runs without a green run from which the alarm goes off: 1 or more.
   *
   * @default 3
   */
  readonly failures?: number;

  /**
   * The length of the sliding window in which the runs ended: 1 minute to 1 day, in whole minutes.
   *
   * The alarm does not go off while the window contains a green run. With a shorter window, it goes off sooner when runs fail after a green run.
   *
   * @default Duration.hours(6)
   */
  readonly window?: Duration;
}

/** Options for `LoopAlarms.runsNearTheirTime`. */
export interface RunsNearTheirTimeOptions extends LoopAlarmOptions {
  /**
   * The percentage of the run's timeout from which the alarm goes off: more than 0, and at most 100.
   *
   * @default 80
   */
  readonly percent?: number;
}

/** Options for `LoopAlarms.addAll`. */
export interface AllAlarmsOptions {
  /**
   * The cost of the last 24 hours, in US dollars, above which the alarm on the cost goes off: more than 0.
   *
   * @default - no alarm on the cost
   */
  readonly usdPerDay?: number;

  /**
   * Actions for when any of the alarms goes off, such as an `SnsAction`.
   *
   * @default - no actions
   */
  readonly actions?: cloudwatch.IAlarmAction[];
}
