import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CurrentRun } from './current-run';
import type { Options } from './options';
import { sandboxLike } from './preflight';
import { RunStore, StoredSession, theOne } from './run-store';
import { counted } from '../../src/handler/counted';
import { JOBS_FOLDER } from '../../src/jobs/constants';
import { CLONE_FOLDER } from '../../src/loop/steps/constants';
import { hostEnvironment } from '../agentcore/environment';
import { agentLines, SessionLog } from '../agentcore/session-log';
import { didYouMean } from '../common/did-you-mean';
import { maskOf } from '../common/mask-values';
import { MisuseError } from '../common/misuse';
import { Lock } from '../run/lock';
import { isSame } from '../run/process-identity';

/** Milliseconds for a run to end in order: its session takes some seconds at the most. */
const STOP_PATIENCE = 60_000;

/** A run that was told to end does not. */
export class StillRunningError extends Error {
  readonly name = 'StillRunningError';
}

/** `sessions`, `stop`, `shell` and `logs`: what people do with sessions when a run did not go as they thought. */
export async function aboutSessions(options: Options, stdout: NodeJS.WriteStream, patience = STOP_PATIENCE): Promise<number> {
  const store = new RunStore(options.state);
  const current = CurrentRun.read(options.state);
  if (options.command === 'sessions') return list(store, current, options, stdout);
  const sessions = store.sessions();
  // One that runs for the first time is not stored yet.
  const isNew = current !== undefined && !sessions.some(({ id }) => id === current.sessionId);
  const found = theOne<{ readonly id: string }>([...sessions, ...isNew ? [{ id: current.sessionId }] : []], options.id!);
  if (options.command === 'stop' && current !== undefined && found?.id === current.sessionId) return stop(current, options, stdout, patience);
  const session = sessions.find(({ id }) => id === found?.id);
  if (!session) throw new MisuseError(`there is no session "${options.id}" in ${options.state}: "rehearse sessions" lists them${didYouMean(options.id!, sessions.map(({ id }) => id))}`);
  switch (options.command) {
    case 'stop':
      stdout.write(`the session is already stopped; its workspace is ${session.workspace}\n`);
      return 0;
    case 'logs':
      return logs(session, options, stdout);
    default:
      return shell(session, options, stdout);
  }
}

function list(store: RunStore, current: CurrentRun | undefined, { json }: Options, stdout: NodeJS.WriteStream): number {
  const rows = [
    ...store.sessions().map(({ id, runs, workspace }) => {
      const { record } = runs[runs.length - 1];
      return { id, state: id === current?.sessionId ? 'running' : 'stopped', outcome: record.outcome, runs: runs.length, at: record.startedAt, task: record.input.taskId, workspace };
    }),
    ...(current && !store.sessions().some(({ id }) => id === current.sessionId) ? [{ id: current.sessionId, state: 'running', outcome: '', runs: 1, at: current.startedAt, task: current.taskId, workspace: '' }] : []),
  ];
  if (json) stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  else if (rows.length === 0) stdout.write('no sessions yet\n');
  else stdout.write(columns([['started (UTC)', 'state', 'outcome', 'task', 'session'], ...rows.map(({ id, state, outcome, at, task }) => [at.slice(0, 16).replace('T', ' '), state, outcome, task, id])]));
  return 0;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}\n`).join('');
}

/** The run ends as at Ctrl-C. */
async function stop(run: CurrentRun, { state }: Options, stdout: NodeJS.WriteStream, patience: number): Promise<number> {
  const { pid, sessionId } = run;
  interrupt(run);
  const end = Date.now() + patience;
  for (let holder = Lock.holder(state); holder !== undefined && isSame(holder, run); holder = Lock.holder(state)) {
    if (Date.now() >= end) {
      throw new StillRunningError(`the run of session ${sessionId} was asked to stop, but process ${pid} is still running after ${patience / 1_000} seconds: `
        + `wait for it, or end it with "kill -KILL ${pid}", which also ends its sandbox and keeps its workspace`);
    }
    await setTimeout(50);
  }
  stdout.write(`stopped ${sessionId}; its workspace is kept\n`);
  return 0;
}

function interrupt({ pid, sessionId }: CurrentRun): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM') throw new MisuseError(`the run of session ${sessionId} is process ${pid} of another user: stop it as that user`);
    if (code !== 'ESRCH') throw error; // it has just ended by itself
  }
}

/** Prints the output of the agent, and each command with its output. */
function logs({ id, runtimeArn, endpointName = 'DEFAULT', workspace, runs }: StoredSession, { state, verbose }: Options, stdout: NodeJS.WriteStream): number {
  // Their values are kept nowhere.
  const names = [...new Set(runs.flatMap(({ target }) => target.env ?? []))];
  const unset = names.filter((name) => process.env[name] === undefined);
  const mask = maskOf(passedOn(names));
  if (unset.length > 0) stdout.write(`(not masked, because it is not set here: ${unset.join(', ')})\n`);
  const log = new SessionLog(join(state, 'agentcore', 'logs')).read({ runtimeId: runtimeArn.split('/').pop()!, endpoint: endpointName, sessionId: id });
  const agent = agentLines(log).filter((line) => line !== '');
  const jobs = join(workspace, JOBS_FOLDER);
  const jobNames = workspace !== '' && existsSync(jobs) ? readdirSync(jobs) : [];
  if (agent.length > 0) stdout.write(`== the agent\n${mask(agent.join('\n'))}\n`);
  // An agent that is a program prints into the log of its turn, like every command.
  else if (!jobNames.some((name) => name.startsWith('turn-'))) stdout.write(`== the agent\n${wasAsked(runs) ? '(it was called, and printed nothing)' : '(it was not called)'}\n`);
  const began = (name: string) => statSync(join(jobs, name)).birthtimeMs;
  const told = jobNames.filter((name) => verbose || isTold(join(jobs, name), name));
  const heads = runs.length === 1 ? [] : runs.map(({ record }) => ({ at: Date.parse(record.startedAt), text: `\n== run ${record.id}, ${record.outcome}\n` }));
  for (const name of told.sort((a, b) => began(a) - began(b))) {
    while (heads.length > 0 && heads[0].at <= began(name)) stdout.write(heads.shift()!.text);
    stdout.write(`\n${mask(jobLog(join(jobs, name), name))}`);
  }
  const own = jobNames.length - told.length;
  if (own > 0) stdout.write(`\n(${counted(own, 'command')} of the loop itself, such as the clone and the commit: "rehearse logs ID --verbose" shows them)\n`);
  if (jobNames.length === 0) {
    stdout.write(`\n(no command has a log: ${workspace === '' || !existsSync(workspace) ? 'the workspace with the logs no longer exists' : 'none was started'})\n`);
  }
  return 0;
}

function wasAsked(runs: StoredSession['runs']): boolean {
  return runs.some(({ record }) => record.steps.some(({ kind }) => kind === 'turn'));
}

/**
 * Determines whether a job is shown: those that run the user's commands, and those that failed. The loop's own steps print for the loop alone. The
 * first step ends with 75 in each workspace of an earlier run, and starts again.
 */
function isTold(directory: string, name: string): boolean {
  return /^(turn|gate|bootstrap)-/.test(name) || !(name.startsWith('prepare-') ? /^EXITED (0|75)\b/ : /^EXITED 0\b/).test(textOf(directory, 'exit'));
}

function textOf(directory: string, file: string): string {
  return existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : '';
}

/** A command with its output, and how it ended. */
function jobLog(directory: string, name: string): string {
  const [how, code] = textOf(directory, 'exit').trim().split(/\s+/);
  const end = how === '' ? 'did not finish' : how === 'EXITED' ? `exit code ${code}` : `${how} ${code ?? ''}`.trim();
  const output = textOf(directory, 'log');
  return `== ${titleOf(name.replace(/-[0-9a-f]{12}$/, ''))}: ${end}\n${output === '' ? '(no output)\n' : output.replace(/\n?$/, '\n')}`;
}

/** Returns the title of a job. Turns are counted as in the story, from 1. */
function titleOf(job: string): string {
  const [, kind, of = '', round] = /^(turn|gate|bootstrap)(?:-(.+))?-(\d+)$/.exec(job) ?? [];
  if (kind === undefined) return job;
  return kind === 'bootstrap' ? kind : [`turn ${Number(round) + 1}`, ...kind === 'gate' ? [`gate ${of}`] : []].join(', ');
}

/** Set where the shell begins: on the way there, a shell that is not interactive would drop it. */
const PROMPT = 'PS1=session \\w \\$ ';

/** A shell where the session's commands ran: the same workspace at the same path, with a new disk beside it. */
async function shell(session: StoredSession, { state }: Options, stdout: NodeJS.WriteStream): Promise<number> {
  const { id, mount, workspace, mounts, runs } = session;
  if (!existsSync(workspace)) throw new MisuseError(`the workspace of session ${id} no longer exists: a change of the runtime deletes it`);
  const copies = join(state, 'repositories');
  const driver = await sandboxLike(session);
  const sandbox = await driver.start({
    disk: join(state, 'microvms', randomUUID()),
    mounts: [...mounts.filter(({ source }) => existsSync(source)), ...(existsSync(copies) ? [{ source: copies, target: copies }] : [])],
    environment: { ...hostEnvironment('us-east-1', driver.image !== undefined), ...passedOn(runs[runs.length - 1].target.env) },
  });
  try {
    stdout.write(`the workspace of ${id} is at ${mount}; "exit" ends the shell\n`);
    return await sandbox.attach!({ command: ['env', PROMPT, 'bash', '--norc'], workingDirectory: existsSync(join(workspace, CLONE_FOLDER)) ? `${mount}/${CLONE_FOLDER}` : mount });
  } finally {
    await sandbox.kill();
  }
}

function passedOn(names: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));
}
