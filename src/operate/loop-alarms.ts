import { Duration, Stack, Token, Tokenization } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { AllAlarmsOptions, FailuresInARowOptions, LoopAlarmOptions, RunsNearTheirTimeOptions } from './alarm-options';
import { RUNBOOK_URL } from './constants';
import { throwOnFaults } from '../private/validation';

/** The metrics of a loop that alarms read. Each run that ends emits one value of each. */
export interface AlarmedMetrics {
  metricFailedRuns(options: cloudwatch.MetricOptions): cloudwatch.Metric;
  metricGreenRuns(options: cloudwatch.MetricOptions): cloudwatch.Metric;
  metricTimeUsed(options: cloudwatch.MetricOptions): cloudwatch.Metric;
  metricCost(options: cloudwatch.MetricOptions): cloudwatch.Metric;
  metricSessionsNotStopped(options: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/** The longest period of an alarm's metric, in seconds. PutMetricAlarm API reference, `Period` and `EvaluationPeriods`. */
const DAY = 86_400;

/**
 * The alarms of a loop, which has none by default. Each method except `addAll` creates one alarm. Each can be called once for each loop, and fails if
 * it is called again.
 *
 * The description of an alarm contains a link to its entry in the runbook, and the first command to run. Missing data is treated as not breaching,
 * because a loop without runs has no metrics.
 *
 * ## Limitations
 *
 * - Alarms include a run only when it has ended. To limit the cost of a run in progress, set the `budget` of the loop.
 * - CloudWatch compares the sum over a sliding window. It does not see the order of the runs in the window.
 */
export abstract class LoopAlarms {
  /**
   * Returns the alarms of a loop.
   *
   * @internal
   */
  public static _of(loop: Construct, metrics: AlarmedMetrics): LoopAlarms {
    return new AlarmsOfLoop(loop, metrics);
  }

  /**
   * Creates an alarm that goes off if the last runs failed: at least `failures` runs in the window, and no run in the window was green.
   *
   * After a green run, the alarm can be late, because it waits until that run has left the window. It raises no false alarm.
   *
   * @param options Options for the alarm
   */
  public abstract failuresInARow(options?: FailuresInARowOptions): cloudwatch.Alarm;

  /**
   * Creates an alarm that goes off if runs ended in the last 24 hours, and none of them was green.
   *
   * @param options Options for the alarm
   */
  public abstract nothingGreen(options?: LoopAlarmOptions): cloudwatch.Alarm;

  /**
   * Creates an alarm that goes off if a run that ended in the last hour took nearly as long as the timeout of runs.
   *
   * @param options Options for the alarm
   */
  public abstract runsNearTheirTime(options?: RunsNearTheirTimeOptions): cloudwatch.Alarm;

  /**
   * Creates an alarm that goes off if the estimated cost of the runs that ended in the last 24 hours exceeds an amount.
   *
   * @param usd The amount, in US dollars: more than 0
   * @param options Options for the alarm
   */
  public abstract costPerDay(usd: number, options?: LoopAlarmOptions): cloudwatch.Alarm;

  /**
   * Creates an alarm that goes off if a run that ended in the last hour did not stop a session that it had to stop. The session incurs charges until
   * it is stopped or expires.
   *
   * @param options Options for the alarm
   */
  public abstract sessionsLeftOver(options?: LoopAlarmOptions): cloudwatch.Alarm;

  /**
   * Creates all alarms with their defaults. The alarm on the cost is created only if `usdPerDay` is set: leave it out if you call `costPerDay`.
   *
   * @param options Options for the alarms
   */
  public abstract addAll(options?: AllAlarmsOptions): cloudwatch.Alarm[];
}

class AlarmsOfLoop extends LoopAlarms {
  constructor(private readonly loop: Construct, private readonly metrics: AlarmedMetrics) {
    super();
  }

  public failuresInARow({ failures = 3, window = Duration.hours(6), ...options }: FailuresInARowOptions = {}): cloudwatch.Alarm {
    throwOnFaults(this.loop, [...countFaults(failures), ...windowFaults(window)]);
    return this.alarm('FailuresInARow', options, {
      metric: this.failuresWithoutGreen(window),
      threshold: failures,
      says: `At least ${Tokenization.stringifyNumber(failures)} runs failed in ${window.toHumanString()}, and none was green.`,
      anchor: 'failures-in-a-row',
    });
  }

  public nothingGreen(options: LoopAlarmOptions = {}): cloudwatch.Alarm {
    return this.alarm('NothingGreen', options, {
      metric: this.failuresWithoutGreen(Duration.seconds(DAY)),
      threshold: 1,
      says: 'Runs ended in the last 24 hours, and none was green.',
      anchor: 'nothing-green',
    });
  }

  public runsNearTheirTime({ percent = 80, ...options }: RunsNearTheirTimeOptions = {}): cloudwatch.Alarm {
    throwOnFaults(this.loop, percentFaults(percent));
    return this.alarm('RunsNearTheirTime', options, {
      metric: this.metrics.metricTimeUsed({ statistic: cloudwatch.Stats.MAXIMUM, period: Duration.hours(1) }),
      threshold: percent,
      says: `A run took ${Tokenization.stringifyNumber(percent)} percent of its timeout or more.`,
      anchor: 'runs-near-their-time',
    });
  }

  public costPerDay(usd: number, options: LoopAlarmOptions = {}): cloudwatch.Alarm {
    throwOnFaults(this.loop, Token.isUnresolved(usd) || (usd > 0 && Number.isFinite(usd)) ? [] : [`"usd" must be a number of more than 0, not ${usd}: change it`]);
    return this.alarm('CostPerDay', options, {
      metric: this.metrics.metricCost({ statistic: cloudwatch.Stats.SUM, period: Duration.seconds(DAY) }),
      threshold: usd,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      says: `The estimated cost of the runs of the last 24 hours is more than ${Tokenization.stringifyNumber(usd)} USD.`,
      anchor: 'cost-per-day',
    });
  }

  public sessionsLeftOver(options: LoopAlarmOptions = {}): cloudwatch.Alarm {
    return this.alarm('SessionsLeftOver', options, {
      metric: this.metrics.metricSessionsNotStopped({ statistic: cloudwatch.Stats.SUM, period: Duration.hours(1) }),
      threshold: 1,
      says: 'A run did not stop a session that it had to stop.',
      anchor: 'sessions-left-over',
    });
  }

  public addAll({ usdPerDay, ...options }: AllAlarmsOptions = {}): cloudwatch.Alarm[] {
    return [
      this.failuresInARow(options), this.nothingGreen(options), this.runsNearTheirTime(options), this.sessionsLeftOver(options),
      ...(usdPerDay === undefined ? [] : [this.costPerDay(usdPerDay, options)]),
    ];
  }

  /**
   * Returns the number of failed runs in a window without a green one, and 0 in any other.
   *
   * Each run emits a value of both metrics, so that the expression has a value whenever a run ended, without `FILL`.
   */
  private failuresWithoutGreen(window: Duration): cloudwatch.MathExpression {
    const options = { statistic: cloudwatch.Stats.SUM, period: window };
    return new cloudwatch.MathExpression({
      expression: 'IF(green > 0, 0, failed)',
      usingMetrics: { green: this.metrics.metricGreenRuns(options), failed: this.metrics.metricFailedRuns(options) },
      period: window,
      label: 'failed runs without a green one',
    });
  }

  private alarm(id: string, { alarmName, actions = [] }: LoopAlarmOptions, { says, anchor, ...props }: AlarmConfig): cloudwatch.Alarm {
    const scope = this.loop.node.tryFindChild('Alarms') as Construct | undefined ?? new Construct(this.loop, 'Alarms');
    throwOnFaults(this.loop, [...repeatFaults(scope, id), ...nameFaults(alarmName)]);
    // eslint-disable-next-line awscdk/no-variable-construct-id -- each method passes a literal, so the ID does not change
    const alarm = new cloudwatch.Alarm(scope, id, {
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      ...props,
      alarmName,
      alarmDescription: [
        says,
        `Runbook: ${RUNBOOK_URL}#${anchor}`,
        `Look: npx cdk-agentcore-workbench runs list --stack ${Stack.of(this.loop).stackName} --loop ${quoted(this.loop.node.path)}`,
      ].join('\n'),
      evaluationPeriods: 1,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(...actions);
    return alarm;
  }
}

/** The differences between the alarms. */
interface AlarmConfig {
  readonly metric: cloudwatch.IMetric;
  readonly threshold: number;
  readonly comparisonOperator?: cloudwatch.ComparisonOperator;
  readonly says: string;
  /** The entry of the runbook. */
  readonly anchor: string;
}

/** Returns a word for a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The longest name of an alarm. CloudWatch API reference, `PutMetricAlarm`. */
const NAME_LENGTH = 255;

function nameFaults(name: string | undefined): string[] {
  return name === undefined || Token.isUnresolved(name) || (name.length >= 1 && name.length <= NAME_LENGTH) ? []
    : [`"alarmName" must have 1 to ${NAME_LENGTH} characters, not ${name.length}: change it, or leave it out`];
}

function repeatFaults(scope: Construct, id: string): string[] {
  const method = `${id[0].toLowerCase()}${id.slice(1)}`;
  return scope.node.tryFindChild(id) === undefined ? []
    : [`"${method}" must be called once for each loop, and "addAll" calls it, too: leave out one of the calls, or create an Alarm for a metric of the loop`];
}

function countFaults(failures: number): string[] {
  return Token.isUnresolved(failures) || (Number.isInteger(failures) && failures >= 1) ? [] : [`"failures" must be a whole number of at least 1, not ${failures}: correct it`];
}

function percentFaults(percent: number): string[] {
  return Token.isUnresolved(percent) || (percent > 0 && percent <= 100) ? [] : [`"percent" must be more than 0 and at most 100, not ${percent}: correct it`];
}

function windowFaults(window: Duration): string[] {
  if (window.isUnresolved()) return ['"window" must be known at synth, since an alarm needs its period: use a literal'];
  const seconds = window.toSeconds({ integral: false });
  return seconds >= 60 && seconds <= DAY && seconds % 60 === 0 ? [] : [`"window" must be a whole number of minutes and at most 1 day, not ${seconds} seconds: correct it`];
}
