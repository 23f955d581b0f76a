import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { identityOf, MetricIdentity } from './metrics';

/** An alarm in a template, as far as CloudWatch evaluates it. */
export interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly Threshold: number;
  readonly TreatMissingData: string;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly Dimension[];
  readonly Period?: number;
  readonly Statistic?: string;
  readonly AlarmActions?: unknown[];
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly ReturnData?: boolean;
    readonly MetricStat?: {
      readonly Metric: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions: readonly Dimension[] };
      readonly Period: number;
      readonly Stat: string;
    };
  }[];
}

/** A dimension in a template. */
interface Dimension {
  readonly Name: string;
  readonly Value: string;
}

/** Returns the alarms of a stack. */
export function alarmsOf(stack: Stack): AlarmProperties[] {
  return Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
}

const dimensionsIn = (dimensions: readonly Dimension[] = []) => Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, Value]));

/** Returns the metrics that an alarm reads. */
export function metricsOfAlarm({ Namespace, MetricName, Dimensions, Metrics = [] }: AlarmProperties): MetricIdentity[] {
  return [
    ...(MetricName === undefined ? [] : [identityOf(Namespace!, MetricName, dimensionsIn(Dimensions))]),
    ...Metrics.flatMap(({ MetricStat }) => MetricStat === undefined ? []
      : [identityOf(MetricStat.Metric.Namespace, MetricStat.Metric.MetricName, dimensionsIn(MetricStat.Metric.Dimensions))]),
  ];
}

/** The values that the runs of a period emitted, by metric. */
export interface Period {
  readonly [metric: string]: readonly number[];
}

const STATISTICS: { readonly [name: string]: (values: readonly number[]) => number } = {
  Sum: (values) => values.reduce((one, other) => one + other, 0),
  Maximum: (values) => Math.max(...values),
};
const COMPARISONS: { readonly [name: string]: (value: number, threshold: number) => boolean } = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
};

/** A second implementation of what CloudWatch does with an alarm that evaluates one period: its statistic, its expression, its comparison. */
export function goesOff(alarm: AlarmProperties, period: Period): boolean {
  if (alarm.EvaluationPeriods !== 1) throw new Error('only alarms that evaluate one period are implemented here');
  const statistic = (name: string, stat: string) => period[name] === undefined ? undefined : STATISTICS[stat](period[name]);
  const value = alarm.Metrics === undefined ? statistic(alarm.MetricName!, alarm.Statistic!) : calculated(alarm.Metrics, statistic);
  if (value === undefined) return alarm.TreatMissingData === 'breaching';
  return COMPARISONS[alarm.ComparisonOperator](value, alarm.Threshold);
}

/** Calculates `IF(a > number, number, b)`: without data of either, the expression has none. */
function calculated(metrics: NonNullable<AlarmProperties['Metrics']>, statistic: (name: string, stat: string) => number | undefined): number | undefined {
  const returned = metrics.filter(({ ReturnData }) => ReturnData !== false);
  if (returned.length !== 1) throw new Error('an alarm evaluates one expression');
  const [, condition, above, then, otherwise] = /^IF\((\w+) > (\d+), (\d+), (\w+)\)$/.exec(returned[0].Expression!)!;
  const valueOf = (id: string) => {
    const { Metric, Stat } = metrics.find(({ Id }) => Id === id)!.MetricStat!;
    return statistic(Metric.MetricName, Stat);
  };
  const [tested, value] = [valueOf(condition), valueOf(otherwise)];
  if (tested === undefined || value === undefined) return undefined;
  return tested > Number(above) ? Number(then) : value;
}

