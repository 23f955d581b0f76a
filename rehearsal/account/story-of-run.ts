import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Account } from './account';
import { Artifacts } from './artifacts';
import { dollars } from './dollars';
import type { Executions } from './executions';
import { asItRan, FoundRun } from './find-run';
import { follow } from './follow';
import { InAccount } from './in-account';
import type { AccountOptions } from './options';
import { EXIT, exitCodeOf } from '../../src/journal/exit-codes';
import { reportOf } from '../../src/journal/report/report';
import type { RunDescription } from '../../src/journal/run-description';
import { Story } from '../../src/journal/story';
import { Terminal } from '../../src/journal/terminal';
import { ARTIFACTS } from '../../src/operate/constants';
import { copyableWord } from '../../src/private/quote';
import { MisuseError } from '../common/misuse';

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The outcome of a run that has not ended. */
const UNDER_WAY = 'RUNNING';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The parts of a command that tells a run. */
export interface Telling {
  readonly account: Account;
  readonly executions: Executions;
  readonly options: AccountOptions;
  readonly streams: Streams;
}

/** Prints a run, so far or until it ends. Returns the exit code of the run, or 0 if it has not ended. */
export async function tell({ account, executions, options, streams }: Telling, run: FoundRun, toEnd: boolean): Promise<number> {
  const { json } = options;
  const terminal = new Terminal(json ? streams.stderr : streams.stdout);
  const story = new Story(terminal, new InAccount(againOf(options)));
  const leave = new AbortController();
  const hear = () => {
    // A request is waited for, once.
    if (leave.signal.aborted) process.exit(EXIT.INTERRUPTED);
    leave.abort();
  };
  SIGNALS.forEach((signal) => process.on(signal, hear));
  // The reader of the story has left, such as `head`. Its run does not need it.
  let isRead = true;
  const unheard = () => {
    isRead = false;
    leave.abort();
  };
  if (!json) streams.stdout.on('error', unheard);
  const { name } = run.execution;
  const goesOn = () => {
    const line = `the run continues: "runs watch ${name}${againOf(options)}" follows it again, and "runs stop ${name}${againOf(options)}" stops it`;
    if (isRead) terminal.line(line);
    else streams.stderr.write(`${line}\n`);
  };
  let record: RunDescription | undefined;
  try {
    record = await follow(account, executions, run, { listener: json ? undefined : story, toEnd, signal: leave.signal });
  } catch (error) {
    if (toEnd && run.execution.state === UNDER_WAY) goesOn();
    throw error;
  } finally {
    SIGNALS.forEach((signal) => process.off(signal, hear));
    streams.stdout.off('error', unheard);
    terminal.settle();
  }
  if (record === undefined) {
    goesOn();
    return EXIT.INTERRUPTED;
  }
  if (json) streams.stdout.write(`${JSON.stringify({ ...record, definition: undefined, arn: run.execution.arn }, undefined, 2)}\n`);
  else if (record.outcome === UNDER_WAY) terminal.line(`${underWay(record)}; "runs watch ${name}${againOf(options)}" follows it`);
  else story.ended(record);
  if (!json) tellCost(record, terminal);
  return record.outcome === UNDER_WAY ? EXIT.COMMITTED : exitCodeOf(record);
}

function underWay({ steps, seconds }: RunDescription): string {
  return `in progress for ${(seconds / 60).toFixed(1)} min${steps.length === 0 ? '' : `, in "${steps.at(-1)!.state}"`}`;
}

function tellCost({ output }: RunDescription, terminal: Terminal): void {
  const { usd, agentUsd } = output?.cost ?? {};
  if (usd === undefined) return;
  terminal.line(`cost       about ${dollars(usd)} for AWS${agentUsd === undefined ? ', without the model' : `, and ${dollars(agentUsd)} for the model, as the agent reports`}`);
}

/**
 * Writes the report of a run: one that is made from its history, with the change from its bucket, or the report in the bucket if there is no change.
 */
export async function report({ account, executions, options, streams }: Telling, run: FoundRun): Promise<number> {
  const artifacts = Artifacts.of(account, await asItRan(executions, run));
  const patch = await artifacts?.text(ARTIFACTS.PATCH);
  // The driver, which writes it, cannot read the change again.
  const kept = run.execution.state === 'RUNNING' || patch !== undefined ? undefined : await artifacts?.text(ARTIFACTS.REPORT);
  const file = resolve(options.output ?? 'report.html');
  const made = async () => reportOf(withPatch((await follow(account, executions, run, { toEnd: false }))!, patch));
  const text = kept ?? await made();
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new MisuseError(`the report cannot be written to ${file}: ${(error as Error).message}`);
  }
  streams.stdout.write(options.json ? `${JSON.stringify({ report: file })}\n` : `${file}\n`);
  return EXIT.COMMITTED;
}

/** Adds the change, which the history does not have. */
function withPatch(record: RunDescription, patch: string | undefined): RunDescription {
  return record.commit === undefined || patch === undefined ? record : { ...record, commit: { ...record.commit, patch } };
}

/** Returns the options that find the loop again, each with a space before it. */
export function againOf({ stack, loop, profile, region }: AccountOptions): string {
  return Object.entries({ stack, loop, profile, region }).filter(([, value]) => value !== undefined).map(([option, value]) => ` --${option} ${copyableWord(value!)}`).join('');
}
