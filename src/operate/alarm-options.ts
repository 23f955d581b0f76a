import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** Options that all alarms of a loop have. */
export interface LoopAlarmOptions {
  /**
   * The name of the alarm.
   *
   * @default - a name that CloudFormation generates
   */
  readonly alarmName?: string;

  /**
   * Actions for when the alarm goes off, such as an `SnsAction`.
   *
   * @default - no actions
   */
  readonly actions?: cloudwatch.IAlarmAction[];
}

/** Options for `LoopAlarms.failuresInARow`. */
export interface FailuresInARowOptions extends LoopAlarmOptions {
  /**
   * The number of failed runs without a green one: 1 or more.
   *
   * @default 3
   */
  readonly failures?: number;

  /**
   * The time in which the runs ended: whole minutes, 1 day at most.
   *
   * A green run that ended this long ago no longer keeps the alarm silent, so that a shorter time notices failures after a green run sooner.
   *
   * @default Duration.hours(6)
   */
  readonly window?: Duration;
}

/** Options for `LoopAlarms.runsNearTheirTime`. */
export interface RunsNearTheirTimeOptions extends LoopAlarmOptions {
  /**
   * The part of the run's timeout, in percent, from which the alarm goes off: more than 0, 100 at most.
   *
   * @default 80
   */
  readonly percent?: number;
}

/** Options for `LoopAlarms.addAll`. */
export interface AllAlarmsOptions {
  /**
   * The cost of a day, in US dollars, above which the alarm goes off.
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
