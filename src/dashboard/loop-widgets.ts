import { Duration, Stack } from 'aws-cdk-lib';
import { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS } from '../jobs/constants';
import { CodingLoop } from '../loop';
import { LOOP_METRICS } from '../loop/steps/constants';
import { RUNBOOK_URL } from '../operate/constants';

const HOUR = Duration.hours(1);
const DAY = Duration.days(1);
const { MAXIMUM, SUM } = cloudwatch.Stats;

/** Returns the rows of widgets for a loop. */
export function loopWidgets(loop: CodingLoop): cloudwatch.IWidget[][] {
  return [
    [heading(loop)],
    [numbers(loop)],
    [outcomes(loop), rounds(loop), steps(loop)],
    [verdicts(loop), cost(loop), sessions(loop)],
  ];
}

function heading(loop: CodingLoop): cloudwatch.IWidget {
  const { region } = Stack.of(loop);
  const console = `https://console.aws.amazon.com/states/home?region=${region}#/statemachines/view/${loop.stateMachine.stateMachineArn}`;
  return new cloudwatch.TextWidget({
    markdown: `## ${loop.node.path}\n[Executions](${console}) · [Runbook](${RUNBOOK_URL}#runbook) · \`npx cdk-agentcore-workbench runs list --stack ${Stack.of(loop).stackName}\``,
    width: 24,
    height: 2,
  });
}

/** Returns the numbers of the whole time that the dashboard shows. */
function numbers(loop: CodingLoop): cloudwatch.IWidget {
  return new cloudwatch.SingleValueWidget({
    title: 'In the time shown',
    width: 24,
    height: 3,
    setPeriodToTimeRange: true,
    metrics: [
      loop.metricGreenRuns({ label: 'green runs', period: DAY }),
      loop.metricFailedRuns({ label: 'failed runs', period: DAY }),
      loop.metricTimeUsed({ label: 'longest run, in % of its timeout', period: DAY }),
      costPerDay(loop),
      costPerGreenRun(loop),
      loop.metricVerificationCatches({ label: 'caught by the verification', period: DAY }),
      loop.metricSessionsNotStopped({ label: 'sessions not stopped', period: DAY }),
    ],
  });
}

function costPerDay(loop: CodingLoop): cloudwatch.Metric {
  return loop.metricCost({ label: 'cost, in US dollars', period: DAY });
}

function costPerGreenRun(loop: CodingLoop): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    // A day without a green run has no such cost.
    expression: 'IF(green > 0, cost / green)',
    usingMetrics: { cost: loop.metricCost({ period: DAY }), green: loop.metricGreenRuns({ period: DAY }) },
    label: 'cost per green run, in US dollars',
    period: DAY,
  });
}

function outcomes(loop: CodingLoop): cloudwatch.IWidget {
  return graph('Runs by outcome', [eachOf(loop, loop.metricRuns(ANY), LOOP_METRICS.outcomeDimension)], { stacked: true });
}

function rounds(loop: CodingLoop): cloudwatch.IWidget {
  return graph('Rounds of a run, by outcome', [eachOf(loop, loop.metricRounds(ANY), LOOP_METRICS.outcomeDimension)]);
}

function steps(loop: CodingLoop): cloudwatch.IWidget {
  const seconds = (statistic: string) => loop.metricStepSeconds(ANY, { statistic });
  return graph('Minutes of a step', ['p50', 'p90'].map((statistic) => eachOf(loop, seconds(statistic), LOOP_METRICS.stepDimension, `${statistic} `, ' / 60')));
}

function verdicts(loop: CodingLoop): cloudwatch.IWidget {
  return graph('Gates by verdict, and catches of the verification', [
    eachOf(loop, loop.metricGates(ANY), LOOP_METRICS.verdictDimension),
    loop.metricVerificationCatches({ label: 'caught by the verification', period: HOUR }),
  ]);
}

function cost(loop: CodingLoop): cloudwatch.IWidget {
  return graph('Cost per day, and per green run', [costPerDay(loop), costPerGreenRun(loop)]);
}

function sessions(loop: CodingLoop): cloudwatch.IWidget {
  const ofRuntime = (runtime: IBedrockAgentRuntime) => [
    vended(loop, 'SessionCount', runtime.agentRuntimeArn, 'new sessions'),
    vended(loop, 'Throttles', runtime.agentRuntimeArn, 'throttled requests, by the service'),
    throttles(loop, runtime),
  ];
  return graph('Sessions and throttled requests', [...loop._sources.runtimes.flatMap(ofRuntime), activeSessions(loop)]);
}

/** Returns the number of requests of the driver that the service throttled. */
function throttles(loop: CodingLoop, runtime: IBedrockAgentRuntime): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: METRICS.namespace,
    metricName: METRICS.names.THROTTLES,
    dimensionsMap: { [METRICS.dimensions.SERVICE]: METRICS.service, [METRICS.dimensions.RUNTIME]: runtime.agentRuntimeId },
    statistic: SUM,
    label: 'throttled requests of the driver',
    period: HOUR,
  }).attachTo(loop);
}

/** The namespace of the service's metrics, and the dimension of those of the account. AgentCore developer guide, "Observability runtime metrics". */
const SERVICE = { namespace: 'AWS/Bedrock-AgentCore', dimensionsMap: { Service: 'AgentCore.Runtime' } };

function activeSessions(loop: CodingLoop): cloudwatch.Metric {
  return new cloudwatch.Metric({ ...SERVICE, metricName: 'ActiveSessionCount', statistic: MAXIMUM, label: 'active sessions of the account', period: HOUR }).attachTo(loop);
}

/** Returns a metric of the service for a runtime, whatever other dimensions it has. */
function vended(loop: CodingLoop, name: string, runtimeArn: string, label: string): cloudwatch.MathExpression {
  return searched(loop, `MetricName="${name}" Resource="${runtimeArn}"`, SUM, label);
}

/** The value of a dimension that stands for all that have been emitted. */
const ANY = '*';

/** Returns a metric for each value of one of its dimensions. */
function eachOf(
  loop: CodingLoop, { namespace, metricName, dimensions, statistic }: cloudwatch.Metric, dimension: string, prefix = '', calculation = '',
): cloudwatch.MathExpression {
  const names = Object.keys(dimensions!);
  const values = names.filter((name) => name !== dimension).map((name) => `${name}="${dimensions![name]}"`);
  const terms = `{${[namespace, ...names].join(',')}} MetricName="${metricName}" ${values.join(' ')}`;
  return searched(loop, terms, statistic, `${prefix}\${PROP('Dim.${dimension}')}`, calculation);
}

function searched(loop: CodingLoop, terms: string, statistic: string, label: string, calculation = ''): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    expression: `SEARCH('${terms}', '${statistic}', ${HOUR.toSeconds()})${calculation}`,
    usingMetrics: {},
    label,
    period: HOUR,
    // A search does not say where its metrics are: without it, a dashboard in another Region would search its own.
    searchRegion: Stack.of(loop).region,
  });
}

function graph(title: string, left: cloudwatch.IMetric[], options: { readonly stacked?: boolean } = {}): cloudwatch.IWidget {
  return new cloudwatch.GraphWidget({ title, left, ...options, width: 8, height: 7, leftYAxis: { min: 0, showUnits: false } });
}
