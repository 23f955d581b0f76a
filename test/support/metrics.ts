import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** A metric as CloudWatch identifies it: namespace, name and all dimensions. */
export type MetricIdentity = string;

/** Returns the identity of a metric. */
export const identityOf = (namespace: string, name: string, dimensions: object): MetricIdentity =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort()]);

/** Returns the identity of a metric that a construct reads. */
export const readIdentity = ({ namespace, metricName, dimensions = {} }: cloudwatch.Metric) => identityOf(namespace, metricName, dimensions);

interface EmbeddedMetric {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: string[][];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

/** Returns the records of the embedded metric format in the lines of a log. */
function recordsIn(logs: readonly string[]): EmbeddedMetric[] {
  return logs.filter((line) => line.includes('"CloudWatchMetrics"')).map((line) => JSON.parse(line.slice(line.indexOf('{'))));
}

/** A value that a log emits. */
export interface EmittedValue {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: { readonly [name: string]: unknown };
  readonly value: unknown;
}

/** Returns the values that the lines of a log emit in the embedded metric format, in their order. */
export function emittedValues(logs: readonly string[]): EmittedValue[] {
  return recordsIn(logs).flatMap((record) => record._aws.CloudWatchMetrics.flatMap(
    ({ Namespace, Dimensions, Metrics }) => Dimensions.flatMap((names) => {
      const dimensions = Object.fromEntries(names.map((name) => [name, record[name]]));
      return Metrics.map(({ Name }) => ({ namespace: Namespace, name: Name, dimensions, value: [record[Name]].flat()[0] }));
    })));
}

/** Returns the last value of each metric that the lines of a log emit. */
export function emitted(logs: readonly string[]): { readonly [identity: MetricIdentity]: unknown } {
  return Object.fromEntries(emittedValues(logs).map(({ namespace, name, dimensions, value }) => [identityOf(namespace, name, dimensions), value]));
}
