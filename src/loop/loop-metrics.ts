import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { LOOP_METRICS } from './steps/constants';
import { AlarmedMetrics } from '../operate/loop-alarms';

/** A loop, as far as its own metrics are read. */
interface MeteredLoop {
  metric(name: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/** Returns the metrics of a loop that its alarms read. */
export function alarmedMetrics(loop: MeteredLoop): AlarmedMetrics {
  const { names } = LOOP_METRICS;
  const metric = (name: string) => (options: cloudwatch.MetricOptions) => loop.metric(name, options);
  return {
    metricFailedRuns: metric(names.FAILED_RUNS),
    metricGreenRuns: metric(names.GREEN_RUNS),
    metricTimeUsed: metric(names.TIME_USED),
    metricCost: metric(names.COST),
    metricSessionsNotStopped: metric(names.LEFT_OVER),
  };
}
