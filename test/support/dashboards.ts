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
