import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { LOOP_METRICS } from './steps/constants';
import { METRICS } from '../jobs/constants';
import { throwOnFaults } from '../private/validation';

/** Printable ASCII, of which the value of a dimension consists. CloudWatch API reference, `Dimension`. */
const DIMENSION_VALUE = /^[ -~]+$/;

/**
 * The metrics of a loop. In the public interface, these are methods of `CodingLoop`.
 *
 * @internal
 */
export abstract class MeasuredLoop extends Construct {
  /**
   * Returns a metric of the loop by its name in CloudWatch.
   *
   * By default, the metric is the average over 5 minutes. The path of the loop is a dimension of the metric, so it must consist of printable ASCII
   * characters.
   *
   * @param metricName The name of the metric
   * @param options Options for the metric
   */
  public metric(metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    const { path } = this.node;
    throwOnFaults(this, DIMENSION_VALUE.test(path) ? [] : [
      `the path of the loop must have only printable ASCII characters, since it is a dimension of its metrics, not "${path}": change the ID of the construct`,
    ]);
    return new cloudwatch.Metric({
      namespace: METRICS.namespace,
      metricName,
      ...options,
      dimensionsMap: { [METRICS.dimensions.SERVICE]: METRICS.service, [LOOP_METRICS.dimension]: path, ...options.dimensionsMap },
    }).attachTo(this);
  }

  /**
   * Returns a metric of the number of runs that ended with an outcome.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param outcome The outcome: `COMMITTED`, `NO_CHANGES`, or the name of an error, such as `CodingLoop.Red`
   * @param options Options for the metric
   */
  public metricRuns(outcome: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.ofOutcome(LOOP_METRICS.names.RUNS, outcome, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /**
   * Returns a metric of the number of rounds in runs that ended with an outcome.
   *
   * By default, the metric is the average over 5 minutes.
   *
   * @param outcome The outcome: `COMMITTED`, `NO_CHANGES`, or the name of an error, such as `CodingLoop.Red`
   * @param options Options for the metric
   */
  public metricRounds(outcome: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.ofOutcome(LOOP_METRICS.names.ROUNDS, outcome, options);
  }

  /**
   * Returns a metric of the duration, in seconds, of runs that ended with an outcome.
   *
   * By default, the metric is the average over 5 minutes.
   *
   * @param outcome The outcome: `COMMITTED`, `NO_CHANGES`, or the name of an error, such as `CodingLoop.Red`
   * @param options Options for the metric
   */
  public metricRunSeconds(outcome: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.ofOutcome(LOOP_METRICS.names.RUN_SECONDS, outcome, options);
  }

  /**
   * Returns a metric of the number of gates that ended with a verdict.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param verdict The verdict: `PASSED`, `FAILED`, `TIMED_OUT`, `INERT` or `LOST`
   * @param options Options for the metric
   */
  public metricGates(verdict: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.GATES, {
      statistic: cloudwatch.Stats.SUM, ...options, dimensionsMap: { [LOOP_METRICS.verdictDimension]: verdict },
    });
  }

  /**
   * Returns a metric of the number of runs that ended as `COMMITTED` or `NO_CHANGES`. Each run that ends emits 1, or 0 for any other outcome.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param options Options for the metric
   */
  public metricGreenRuns(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.GREEN_RUNS, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /**
   * Returns a metric of the number of runs that ended with any outcome other than `COMMITTED` or `NO_CHANGES`, including those that were refused,
   * aborted or ended by Step Functions. Each run that ends emits a value: 1, or 0 for `COMMITTED` and `NO_CHANGES`.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param options Options for the metric
   */
  public metricFailedRuns(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.FAILED_RUNS, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /**
   * Returns a metric of the duration of runs, in percent of their timeout.
   *
   * By default, the metric is the maximum over 5 minutes.
   *
   * @param options Options for the metric
   */
  public metricTimeUsed(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.TIME_USED, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /**
   * Returns a metric of the estimated cost of runs, in US dollars: the charges of AWS, and the cost of the model that the agent reports.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param options Options for the metric
   */
  public metricCost(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.COST, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /**
   * Returns a metric of the number of changes that passed all gates in the agent's session, but not in the verification.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param options Options for the metric
   */
  public metricVerificationCatches(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.CATCHES, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /**
   * Returns a metric of the number of sessions that a run had to stop, but did not. It has no value if all sessions are stopped.
   *
   * By default, the metric is the sum over 5 minutes.
   *
   * @param options Options for the metric
   */
  public metricSessionsNotStopped(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.LEFT_OVER, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /**
   * Returns a metric of the duration, in seconds, of a call for a step.
   *
   * By default, the metric is the average over 5 minutes. A step that takes longer than one call of the driver has several values. The publisher of a
   * forge emits the value of a commit.
   *
   * @param step The step: `prepare`, `bootstrap`, `turn`, `snapshot`, `gate`, `checkBase`, `verify`, `commit` or `stop`.
   * @param options Options for the metric
   */
  public metricStepSeconds(step: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(LOOP_METRICS.names.STEP_SECONDS, { ...options, dimensionsMap: { [LOOP_METRICS.stepDimension]: step } });
  }

  private ofOutcome(name: string, outcome: string, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(name, { ...options, dimensionsMap: { [LOOP_METRICS.outcomeDimension]: outcome } });
  }
}
