import { Duration, Names, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { loopWidgets } from './loop-widgets';
import { LOG_QUERIES } from './queries';
import { CodingLoop } from '../loop';
import { throwOnFaults } from '../private/validation';

/** Props for a LoopDashboard. */
export interface LoopDashboardProps {
  /** The loops to show, at least one. */
  readonly loops: CodingLoop[];

  /**
   * The name of the dashboard.
   *
   * @default - a name that CloudFormation generates
   */
  readonly dashboardName?: string;

  /**
   * Alarms to show at the top, such as those of `loop.alarms`.
   *
   * @default - no alarms
   */
  readonly alarms?: cloudwatch.IAlarm[];

  /**
   * The time that the dashboard shows when it is opened.
   *
   * @default Duration.days(7)
   */
  readonly defaultInterval?: Duration;

  /**
   * Determines whether queries for Logs Insights are saved: the story of one run, failed runs by reason, and the slowest steps.
   *
   * @default true
   */
  readonly savedQueries?: boolean;

  /**
   * More log groups for the saved queries, such as that of the runtime: `/aws/bedrock-agentcore/runtimes/<runtime ID>-<endpoint>`.
   *
   * The service creates that group with the first session. It is not included by default, because a query may not name a group that does not exist.
   *
   * @default - the log groups of the driver and of the publisher
   */
  readonly logGroups?: logs.ILogGroup[];
}

/**
 * A CloudWatch dashboard of loops: runs by outcome, rounds, the time of each step, cost, verdicts, throttles and sessions.
 *
 * ## Limitations
 *
 * - A graph is empty until a run has ended. Metrics are by loop, so that the graphs of a loop begin anew if its path in the app changes.
 * - The metrics of sessions are those of the service, in the namespace `AWS/Bedrock-AgentCore`. Its documentation and the `metricXxx` methods of
 *   aws-cdk-lib agree on the name of this namespace, and not on the dimensions. The dashboard searches for them by the ARN of the runtime.
 * - The number of active sessions is that of the whole account: the service has no such metric by runtime.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html
 *
 * @example
 * declare const loop: CodingLoop;
 * new LoopDashboard(this, 'Dashboard', {
 *   loops: [loop],
 *   alarms: loop.alarms.addAll({ usdPerDay: 50 }),
 * });
 */
export class LoopDashboard extends Construct {
  /** The dashboard, to which more widgets can be added. */
  public readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, props: LoopDashboardProps) {
    super(scope, id);
    const { loops, alarms = [] } = props;
    throwOnFaults(this, loops.length === 0 ? ['"loops" must have at least one loop, not none: add one'] : []);

    this.dashboard = new cloudwatch.Dashboard(this, 'Resource', {
      dashboardName: props.dashboardName,
      defaultInterval: props.defaultInterval ?? Duration.days(7),
      widgets: [
        ...(alarms.length === 0 ? [] : [[new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms, width: 24, height: alarmRows(alarms.length) })]]),
        ...loops.flatMap(loopWidgets),
      ],
    });
    if (props.savedQueries ?? true) this.saveQueries([...loops.flatMap((loop) => loop._sources.logGroups), ...props.logGroups ?? []]);
    this.node.defaultChild = this.dashboard.node.defaultChild;
  }

  private saveQueries(groups: readonly logs.ILogGroup[]): void {
    const logGroups = [...new Set(groups)];
    const folder = `${Stack.of(this).stackName}/${Names.uniqueResourceName(this, { maxLength: 60, separator: '-' })}`;
    for (const { id, title, lines } of LOG_QUERIES) {
      // eslint-disable-next-line awscdk/no-variable-construct-id -- literals of a table
      new logs.QueryDefinition(this, id, { queryDefinitionName: `${folder}/${title}`, queryString: new logs.QueryString(lines), logGroups });
    }
  }
}

/** Returns the height of the widget: it shows four alarms in a row. */
function alarmRows(alarms: number): number {
  return 1 + Math.ceil(alarms / 4);
}
