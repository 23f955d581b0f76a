import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

/** A widget of a dashboard. */
export interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly markdown?: string; readonly metrics?: unknown[][]; readonly [name: string]: unknown };
}

/** Returns the body of the only dashboard of a stack. Values that are known only when it is deployed are `<ref>`. */
export function dashboardOf(stack: Stack): { readonly start?: string; readonly widgets: Widget[] } {
  const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const { DashboardBody: body } = Properties;
  return JSON.parse(typeof body === 'string' ? body : body['Fn::Join'][1].map((part: unknown) => typeof part === 'string' ? part : '<ref>').join(''));
}

/** The metrics of a search expression: those with exactly these dimensions, some of whose values are given. */
export interface Search {
  readonly namespace?: string;
  readonly name: string;
  /** The names of all dimensions. Missing if the search takes any. */
  readonly dimensions?: readonly string[];
  readonly values: { readonly [dimension: string]: string };
}

/** Returns the metrics that the widgets of a dashboard read: one by one, and by searches. */
export function metricsOfDashboard(stack: Stack): { readonly metrics: EmittedName[]; readonly searches: Search[] } {
  const rows = dashboardOf(stack).widgets.flatMap(({ properties: { metrics = [] } }) => metrics);
  return {
    metrics: rows.filter(([first]) => typeof first === 'string').map((row) => {
      const [namespace, name, ...rest] = row.filter((part) => typeof part === 'string') as string[];
      return { namespace, name, dimensions: Object.fromEntries(rest.flatMap((part, index) => index % 2 === 0 ? [[part, rest[index + 1]]] : [])) };
    }),
    searches: rows.flatMap(([first]) => /^SEARCH\('(.*?)', '[^']+', \d+\)/.exec((first as { readonly expression?: string }).expression ?? '')?.[1] ?? []).map(searchOf),
  };
}

/** The namespace, the name and the dimensions of a metric. */
export interface EmittedName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: { readonly [name: string]: unknown };
}

function searchOf(terms: string): Search {
  const [, schema] = /^\{([^}]*)\} /.exec(terms) ?? [];
  const [namespace, ...dimensions] = schema?.split(',') ?? [];
  const { MetricName: name, ...values } = Object.fromEntries([...terms.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  return { name, values, ...(schema === undefined ? {} : { namespace, dimensions }) };
}

/** Determines whether a search finds a metric. */
export function finds(search: Search, { namespace, name, dimensions }: EmittedName): boolean {
  return name === search.name && (search.namespace === undefined || namespace === search.namespace)
    && (search.dimensions === undefined || JSON.stringify(Object.keys(dimensions).sort()) === JSON.stringify([...search.dimensions].sort()))
    && Object.entries(search.values).every(([dimension, value]) => dimensions[dimension] === value);
}
