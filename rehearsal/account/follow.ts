import { setTimeout } from 'node:timers/promises';
import { GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import type { Account } from './account';
import { AccountError } from './errors';
import { ABSENT, Execution, Executions } from './executions';
import type { FoundRun } from './find-run';
import { DeployedRun } from '../../src/journal/deployed-run';
import { eventsAfter, HistoryEvent } from '../../src/journal/history';
import type { JournalListener } from '../../src/journal/journal';
import type { RunDescription } from '../../src/journal/run-description';

/** Seconds between two requests: short after something has happened, longer while a turn takes its time. */
const INTERVALS = { first: 0.5, most: 5, growth: 1.5 } as const;

/** Requests without anything new after which the execution itself is asked for. */
const QUIET = 10;

/** Events of a page: the first request is for all that has happened, later ones for what is new. */
const PAGE = { first: 1_000, later: 100 } as const;

const ENDED = /^Execution(?:Succeeded|Failed|Aborted|TimedOut)$/;

export interface FollowOptions {
  readonly listener?: JournalListener;
  /** Determines whether the run is followed to its end. */
  readonly toEnd: boolean;
  /** Ends it before, without a description. */
  readonly signal?: AbortSignal;
}

/** Describes a run from its history, so far or until it ends. Returns undefined if the signal aborted it. */
export async function follow(
  account: Account, executions: Executions, { loop, execution }: FoundRun, options: FollowOptions,
): Promise<RunDescription | undefined> {
  const { signal } = options;
  const { arn } = execution;
  const own = await executions.loopOf(arn) ?? loop;
  const run = new DeployedRun({ loop: { ...own, logicalId: loop.logicalId }, execution: execution.description, listener: options.listener });
  let known = execution;
  let interval: number = INTERVALS.first;
  let quiet = 0;
  for (;;) {
    // The status was read before the events: if the execution had ended by then, the events are complete.
    const events = await eventsOf(account, known, run.last);
    run.hear(events);
    quiet = events.length === 0 ? quiet + 1 : 0;
    const isOver = known.state !== 'RUNNING';
    if (isOver || !options.toEnd) return run.describe(known.description);
    if (events.some(({ type = '' }) => ENDED.test(type)) || quiet % QUIET === QUIET - 1) known = await found(executions, arn);
    interval = events.length > 0 ? INTERVALS.first : Math.min(interval * INTERVALS.growth, INTERVALS.most);
    if (known.state === 'RUNNING') await setTimeout(interval * 1_000, undefined, { signal }).catch(() => undefined);
    if (signal?.aborted) return undefined;
  }
}

async function eventsOf(account: Account, { arn, name, state }: Execution, last: number): Promise<HistoryEvent[]> {
  const maxResults = last === 0 ? PAGE.first : PAGE.later;
  const request = { executionArn: arn, reverseOrder: true, includeExecutionData: true, maxResults };
  try {
    return await eventsAfter(last, async (nextToken) => account.ask(
      { action: 'states:GetExecutionHistory', resource: arn },
      async () => account.sfn.send(new GetExecutionHistoryCommand({ ...request, nextToken })),
      ABSENT,
    ));
  } catch (error) {
    if (!ABSENT.includes((error as Error).name)) throw error;
    if (state === 'RUNNING') return []; // it has just started
    throw new AccountError(`Step Functions no longer has the history of the run ${name}, which it keeps for 90 days after the end of the run`);
  }
}

async function found(executions: Executions, arn: string): Promise<Execution> {
  const execution = await executions.find(arn);
  if (execution === undefined) throw new AccountError(`${arn} no longer exists`);
  return execution;
}
