import { Duration, Names, Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { loopWidgets } from './loop-widgets';
import { LOG_QUERIES } from './queries';
import { CodingLoop } from '../loop';
import { accountFaults, faultsOf, regionFaults, Rule, throwOnFaults } from '../private/validation';

/** Properties for `LoopDashboard`. */
export interface LoopDashboardProps {
  /**
   * The loops that the dashboard shows: at least one, all in the account of the dashboard.
   *
   * For a loop in another Region, set `crossRegionReferences` of both stacks to `true`.
   */
  readonly loops: CodingLoop[];

  /**
   * The name of the dashboard: at most 255 letters, digits, `-` and `_`.
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
   * The time range that the dashboard shows when it is opened. It must be known at synth.
   *
   * @default Duration.days(7)
   */
  readonly defaultInterval?: Duration;

  /**
   * Determines whether CloudWatch Logs Insights queries are saved: the story of one run, failures by reason, and the slowest steps. They read the
   * logs of the loops that are in the Region of the dashboard.
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
 * - Graphs of runs, rounds and cost are empty until a run has ended. The metrics have the path of the loop in the app as a
 *   dimension: if it changes, the graphs start empty.
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
    throwOnFaults(this, [...faultsOf(props, DASHBOARD_RULES), ...loops.flatMap((loop) => loopFaults(this, loop)), ...groupFaults(this, props)]);

    this.dashboard = new cloudwatch.Dashboard(this, 'Resource', {
      dashboardName: props.dashboardName,
      defaultInterval: props.defaultInterval ?? Duration.days(7),
      widgets: [
        ...(alarms.length === 0 ? [] : [[new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms, width: 24, height: alarmRows(alarms.length) })]]),
        ...loops.flatMap(loopWidgets),
      ],
    });
    if (props.savedQueries ?? true) {
      const ofLoops = loops.filter((loop) => regionFaults('loops', loop.stateMachine, this).length === 0).flatMap((loop) => loop._sources.logGroups);
      this.saveQueries([...ofLoops, ...props.logGroups ?? []]);
    }
    this.node.defaultChild = this.dashboard.node.defaultChild;
  }

  private saveQueries(groups: readonly logs.ILogGroup[]): void {
    const logGroups = [...new Set(groups)];
    if (logGroups.length === 0) return;
    const folder = `${Stack.of(this).stackName}/${Names.uniqueResourceName(this, { maxLength: 60, separator: '-' })}`;
    for (const { id, title, lines } of LOG_QUERIES) {
      // eslint-disable-next-line awscdk/no-variable-construct-id -- each ID is a literal in the table of queries, so it does not change
      new logs.QueryDefinition(this, id, { queryDefinitionName: `${folder}/${title}`, queryString: new logs.QueryString(lines), logGroups });
    }
  }
}

/** The longest name of a dashboard. CloudWatch API reference, `PutDashboard`. */
const NAME_LENGTH = 255;

const DASHBOARD_RULES: readonly Rule<LoopDashboardProps>[] = [
  { broken: ({ loops }) => loops.length === 0, message: () => '"loops" must have at least one loop, not none: add one' },
  {
    broken: ({ dashboardName = 'a' }) => !Token.isUnresolved(dashboardName) && !/^[A-Za-z0-9_-]+$/.test(dashboardName),
    message: ({ dashboardName }) => `"dashboardName" must have letters, digits, "-" and "_", not "${dashboardName}": change it, or leave it out`,
  },
  {
    broken: ({ dashboardName = 'a' }) => !Token.isUnresolved(dashboardName) && dashboardName.length > NAME_LENGTH,
    message: ({ dashboardName = '' }) => `"dashboardName" must have at most ${NAME_LENGTH} characters, not ${dashboardName.length}: shorten it`,
  },
  {
    broken: ({ defaultInterval }) => defaultInterval?.isUnresolved() === true,
    message: () => '"defaultInterval" must be known at synth, since it becomes text of the dashboard: use a literal',
  },
];

/** Returns faults of a loop that the dashboard could not show: its resources are in another account, or a search would not find its metrics. */
function loopFaults(dashboard: Construct, loop: CodingLoop): string[] {
  const { node: { path }, stateMachine } = loop;
  return [
    ...accountFaults('loops', stateMachine.env.account, dashboard, 'dashboard'),
    ...(/["'\\]/.test(path) ? [`"loops" must have paths without quotation marks and backslashes, since the dashboard searches for them, not ${path}: change the ID of the loop`] : []),
  ];
}

/** Returns a fault for each log group that a query of the dashboard's Region could not read. */
function groupFaults(dashboard: Construct, { logGroups = [], savedQueries = true }: LoopDashboardProps): string[] {
  return savedQueries ? logGroups.flatMap((group) => regionFaults('logGroups', group, dashboard, 'dashboard')) : [];
}

/** Returns the height of the widget: it shows four alarms in a row. */
function alarmRows(alarms: number): number {
  return 1 + Math.ceil(alarms / 4);
}
