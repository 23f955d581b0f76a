import { Duration, Names, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { loopWidgets } from './loop-widgets';
import { LOG_QUERIES } from './queries';
import { CodingLoop } from '../loop';
import { throwOnFaults } from '../private/validation';

/** Properties for `LoopDashboard`. */
export interface LoopDashboardProps {
  /** The loops that the dashboard shows: at least one. */
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
   * The time range that the dashboard shows when it is opened.
   *
   * @default Duration.days(7)
   */
  readonly defaultInterval?: Duration;

  /**
   * Determines whether CloudWatch Logs Insights queries are saved: the story of one run, failures by reason, and the slowest steps.
   *
   * @default true
   */
  readonly savedQueries?: boolean;

  /**
   * Additional log groups for the saved queries, such as that of the runtime: `/aws/bedrock-agentcore/runtimes/<runtime ID>-<endpoint>`.
   *
   * The service creates that group when the first session starts. It is not included by default, because a query must not name a log group that does
   * not exist.
   *
   * @default - only the log groups of the driver and of the publisher
   */
  readonly logGroups?: logs.ILogGroup[];
}

/**
 * A CloudWatch dashboard of loops: runs by outcome, rounds, the time of each step, cost, verdicts, throttles and sessions.
 *
 * ## Limitations
 *
 * - A graph is empty until a run has ended. The metrics have the path of the loop in the app as a dimension: if it changes, the graphs start empty.
 * - The metrics of sessions are those of AgentCore, in the namespace `AWS/Bedrock-AgentCore`. The AgentCore developer guide and `aws-cdk-lib` agree
 *   on this namespace, but not on the dimensions, so the dashboard searches for these metrics by the ARN of the runtime.
 * - The number of active sessions is that of the whole account, because AgentCore has no such metric by runtime.
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
      // eslint-disable-next-line awscdk/no-variable-construct-id -- each ID is a literal in the table of queries, so it does not change
      new logs.QueryDefinition(this, id, { queryDefinitionName: `${folder}/${title}`, queryString: new logs.QueryString(lines), logGroups });
    }
  }
}

/** Returns the height of the widget: it shows four alarms in a row. */
function alarmRows(alarms: number): number {
  return 1 + Math.ceil(alarms / 4);
}
