import { Duration } from 'aws-cdk-lib';
import { AgentTurn } from '../../src';
import { REPORT_PREFIX } from '../../src/agent/constants';
import type { LoopGraph } from '../../src/loop/loop-graph';
import { STEPS } from '../../src/loop/steps/constants';

/** A turn of an agent that reports, with a script in place of the runner. */
export function reportingTurn(
  script: string, { timeout = Duration.minutes(10), instructions }: { readonly timeout?: Duration; readonly instructions?: string } = {},
): AgentTurn {
  return Object.assign(AgentTurn.command(script, { timeout }), {
    _bind(graph: LoopGraph) {
      const request = { timeoutSeconds: timeout.toSeconds(), command: script, agent: true, ...instructions === undefined ? {} : { instructions } };
      return graph.untilDone(graph.caught(graph.step('Turn', 'Ask the agent', STEPS.TURN, request)), 'Answered', 'Is the agent done?');
    },
  });
}

/** The line of a report. */
export function reportLine(report: object): string {
  return `${REPORT_PREFIX}${JSON.stringify(report)}`;
}

/** A line of a script that prints a report. */
export function reporting(report: object): string {
  return `printf '%s\\n' '${reportLine(report).replaceAll('\'', '\'\\\'\'')}'`;
}
