import { Writable } from 'node:stream';
import type { Definition } from './definition';
import { DeployedRun, ExecutionDescription } from './deployed-run';
import type { HistoryEvent, HistoryPage } from './history';
import { describeLoop } from './loop-description';
import { reportOf } from './report/report';
import { parsed } from './results';
import type { RunDescription } from './run-description';
import { Story, StoryPlace } from './story';
import { Terminal } from './terminal';
import type { LoopState } from '../loop/steps/state';
import { ARTIFACTS } from '../operate/constants';

/** Calls an operation of Step Functions. */
export type Ask = <T>(operation: string, parameters: object) => Promise<T>;

/** The number of events in a page: each may have a state of 256 KB. */
const PAGE = 50;

/**
 * Describes a run from the history of its execution. Reads the history page by page, so that a long one fits into memory.
 *
 * @param known what is known of the end of the execution, and not yet in Step Functions
 * @param isLate determines whether to stop reading
 */
export async function tellRun(
  execution: string, ask: Ask, known: Partial<ExecutionDescription>, isLate: () => boolean,
): Promise<{ readonly story: string; readonly report: string; readonly state?: unknown } | undefined> {
  const { definition } = await ask<{ readonly definition: string }>('DescribeStateMachineForExecution', { executionArn: execution });
  const loop = describeLoop('', parsed(definition) as Definition);
  if (loop === undefined) return undefined;
  const described = { ...await ask<ExecutionDescription>('DescribeExecution', { executionArn: execution }), ...known };
  const lines: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (text: string, _, done) => {
      lines.push(text);
      done();
    },
  });
  const terminal = new Terminal(stream as unknown as NodeJS.WriteStream, 2 ** 31 - 1);
  const story = new Story(terminal, REMOTE);
  const run = new DeployedRun({ loop, execution: described, listener: story });
  let state: unknown;
  let nextToken: string | undefined;
  do {
    const page: HistoryPage = await ask('GetExecutionHistory', { executionArn: execution, includeExecutionData: true, maxResults: PAGE, nextToken });
    run.hear(page.events ?? []);
    for (const event of page.events ?? []) state = stateIn(event) ?? state;
    ({ nextToken } = page);
  } while (nextToken !== undefined && !isLate());
  const description = run.describe(described);
  story.ended(description);
  terminal.settle();
  // The driver, which has no permission to read the change again, has written it before the gates.
  const patch = hasChange(state) ? ARTIFACTS.PATCH : undefined;
  return { story: lines.join(''), report: reportOf(description, { patch }), state };
}

/** Determines whether the files of a turn have been recorded, and differ from those before. */
function hasChange(state: unknown): boolean {
  const { loop } = (state ?? {}) as { readonly loop?: Pick<LoopState, 'tree' | 'unchanged'> };
  return loop?.tree !== undefined && loop.unchanged !== true;
}

/** Returns the state of the run that a state of the machine ended with, if it is one. */
function stateIn(event: HistoryEvent): unknown {
  const { stateExitedEventDetails: details } = event as { readonly stateExitedEventDetails?: { readonly output?: string } };
  const state = parsed(details?.output) as { readonly run?: unknown; readonly loop?: unknown } | null | undefined;
  return typeof state === 'object' && state?.run !== undefined && state.loop !== undefined ? state : undefined;
}

/** The place of a run whose reader may be anywhere: the files of the run are beside its story. */
const REMOTE: StoryPlace = {
  logs: 'runs logs',
  logsOfSession: false,
  explain: () => [],
  take: ({ repository }: RunDescription, branch) => repository === undefined ? [] : [`branch     ${branch} of ${repository.source}`],
};
