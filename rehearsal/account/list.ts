import { GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import type { Account } from './account';
import { dollars } from './dollars';
import type { Execution, Executions } from './executions';
import type { FoundRun } from './find-run';
import { DeployedLoop, loopsOf } from './loops';
import type { AccountOptions } from './options';
import { forEach } from './pool';
import { EXIT } from '../../src/journal/exit-codes';
import { parsed } from '../../src/journal/results';
import { onOneLine } from '../../src/journal/story';
import { functionSecond, sessionSecond } from '../../src/prices/constants';

/** A run in a list. */
export interface ListedRun {
  readonly run: string;
  readonly loop: string;
  /** The state in Step Functions. */
  readonly state: string;
  /** The outcome of the loop; that of a run that Step Functions ended is its state. Missing while the run is under way. */
  readonly outcome?: string;
  readonly task: string;
  /** Turns that began. */
  readonly rounds?: number;
  /** The state of the loop in which a run under way is. */
  readonly step?: string;
  readonly startedAt: string;
  readonly seconds: number;
  /** US dollars, without the model. */
  readonly usd: number;
  /** US dollars for the model, as the agent reports them. Missing if it reports none, and while the run is under way. */
  readonly agentUsd?: number;
  readonly arn: string;
}

/** Lists the newest runs of loops. */
export async function list(account: Account, executions: Executions, options: AccountOptions, print: (line: string) => void): Promise<number> {
  const loops = await loopsOf(account, options);
  const listed: { readonly loop: DeployedLoop; readonly arn: string; readonly at: number }[] = [];
  for (const loop of loops) {
    let left = options.max;
    for await (const { executionArn, startDate } of executions.list(loop, options.state)) {
      if (left-- <= 0) break;
      listed.push({ loop, arn: executionArn!, at: startDate!.getTime() });
    }
  }
  const newest = listed.sort((a, b) => b.at - a.at).slice(0, options.max);
  const described = await forEach(newest, async ({ loop, arn }) => {
    const execution = await executions.find(arn);
    return execution && rowOf(account, { loop, execution });
  });
  const rows = described.filter((row) => row !== undefined);
  if (options.json) print(JSON.stringify(rows, undefined, 2));
  else if (rows.length === 0) print(`no runs${options.state === undefined ? '' : ` in the state ${options.state}`} of ${loops.map(({ path }) => path).join(', ')} yet`);
  else table(rows, loops.length > 1).forEach(print);
  return EXIT.COMMITTED;
}

export async function rowOf(account: Account, { loop, execution }: FoundRun): Promise<ListedRun> {
  const { record, state, startedAt, endedAt = new Date() } = execution;
  const progress = state === 'RUNNING' ? await progressOf(account, execution) : { rounds: record?.rounds };
  const { usd, agentUsd } = record?.cost ?? {};
  const seconds = (endedAt.getTime() - startedAt.getTime()) / 1_000;
  return {
    run: execution.name,
    loop: loop.path,
    state,
    ...state === 'RUNNING' ? {} : { outcome: record?.outcome ?? execution.error ?? state },
    task: taskOf(execution),
    ...progress,
    startedAt: startedAt.toISOString(),
    seconds: Math.round(seconds),
    // The record has what was measured; until then, the session counts since the start.
    usd: usd ?? seconds * (sessionSecond() + functionSecond()),
    ...agentUsd === undefined ? {} : { agentUsd },
    arn: execution.arn,
  };
}

export function taskOf({ input }: Pick<Execution, 'input'>): string {
  const { taskId } = (input ?? {}) as { readonly taskId?: unknown };
  return typeof taskId === 'string' ? taskId : '';
}

/** Events from the end of a history among which the last state is looked for. */
const LAST_EVENTS = 30;

interface RunState {
  readonly loop?: { readonly round?: number; readonly next?: string };
}

/** Returns how far a run under way has come. */
async function progressOf(account: Account, { arn }: Execution): Promise<Pick<ListedRun, 'rounds' | 'step'>> {
  const request = new GetExecutionHistoryCommand({ executionArn: arn, reverseOrder: true, maxResults: LAST_EVENTS, includeExecutionData: true });
  const { events = [] } = await account.ask({ action: 'states:GetExecutionHistory', resource: arn }, async () => account.sfn.send(request));
  const entered = events.find(({ stateEnteredEventDetails }) => stateEnteredEventDetails !== undefined)?.stateEnteredEventDetails;
  if (entered === undefined) return {};
  const { round } = ((parsed(entered.input) as RunState | undefined) ?? {}).loop ?? {};
  return { step: entered.name, rounds: round ?? 0 };
}

/** The length of text of a run in a table, in characters. */
const CELL = 60;

/** Returns text of a run, which may be anything if the run was refused, for one cell of a table. */
export function cellOf(text: string): string {
  const line = onOneLine(text);
  return line.length > CELL ? `${line.slice(0, CELL - 1)}…` : line;
}

function table(rows: readonly ListedRun[], withLoop: boolean): string[] {
  const head = ['started (UTC)', 'state', 'outcome', 'rounds', 'minutes', 'cost', 'task', ...withLoop ? ['loop'] : [], 'run'];
  return columns([head, ...rows.map((row) => [
    row.startedAt.slice(0, 16).replace('T', ' '),
    row.state,
    cellOf(row.outcome ?? row.step ?? ''),
    row.rounds === undefined ? '' : String(row.rounds),
    (row.seconds / 60).toFixed(1),
    dollars(row.usd + (row.agentUsd ?? 0)),
    cellOf(row.task),
    ...withLoop ? [row.loop] : [],
    row.run,
  ])]);
}

/** Lines of a table, whose columns are as wide as their longest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd());
}
