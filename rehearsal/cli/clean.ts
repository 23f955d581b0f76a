import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Options } from './options';
import { RunStore, StoredRun, StoredSession } from './run-store';
import { counted } from '../../src/handler/counted';
import { removeTree } from '../agentcore/remove-tree';
import { SessionLog } from '../agentcore/session-log';
import { KeptFiles } from '../aws';
import { didYouMean } from '../common/did-you-mean';
import { MisuseError } from '../common/misuse';
import { Lock } from '../run/lock';
import { branchesOnlyIn } from '../run/repository-fault';

/** The sessions and files that `clean` removes, and those that it keeps. */
interface Plan {
  readonly sessions: readonly StoredSession[];
  /** The runs of those sessions, and runs that ended before they had a session. */
  readonly runs: readonly StoredRun[];
  readonly kept: readonly StoredRun[];
  /** If set, files that belong to no known run are also removed if they were last written before this time, in milliseconds. */
  readonly strayBefore?: number;
}

/**
 * Removes sessions with their workspaces, logs, records and reports, and the copies of repositories that no other session uses. Keeps and names a
 * copy with branches that its original does not have: the user may still want to fetch them.
 */
export async function clean(options: Options, stdout: NodeJS.WriteStream): Promise<number> {
  const { state } = options;
  if (!existsSync(state)) {
    stdout.write(`there is nothing in ${state}\n`);
    return 0;
  }
  const lock = Lock.take(state);
  try {
    const store = new RunStore(state);
    const plan = planOf(options, store);
    let bytes = 0;
    const remove = (path: string) => {
      if (!existsSync(path)) return;
      bytes += sizeOf(path);
      removeTree(path);
    };
    plan.sessions.forEach((session) => removeSession(session, plan, state, remove));
    verificationsOf(plan, state).forEach(remove);
    const executions = executionsIn(state);
    for (const { record } of plan.runs) {
      remove(store.home(record.id));
      executions.filter(({ name }) => name === record.id).forEach(({ file }) => remove(file));
    }
    filesOf(plan, state).forEach(remove);
    strays(plan, state).forEach(remove);
    const kept = await removeCopies(plan, state, remove);
    for (const { id, runs } of plan.sessions) {
      const { record } = runs[runs.length - 1];
      stdout.write(`removed ${id}  ${record.input.taskId}  ${record.outcome}\n`);
    }
    kept.forEach((line) => stdout.write(`${line}\n`));
    stdout.write(`removed ${counted(plan.sessions.length, 'session')}, ${inUnits(bytes)}\n`);
    return 0;
  } finally {
    lock.release();
  }
}

function planOf({ id, sessionId = id, olderThan, state }: Options, store: RunStore): Plan {
  const all = store.all();
  const before = olderThan === undefined ? undefined : Date.now() - olderThan * 1_000;
  const isOld = ({ record }: StoredRun) => before === undefined || Date.parse(record.startedAt) + record.seconds * 1_000 < before;
  if (sessionId === undefined) {
    const sessions = store.sessions().filter(({ runs }) => runs.every(isOld));
    const ids = new Set(sessions.map((session) => session.id));
    const goes = (run: StoredRun) => run.record.session === undefined ? isOld(run) : ids.has(run.record.session.id);
    return { sessions, runs: all.filter(goes), kept: all.filter((run) => !goes(run)), strayBefore: before ?? Infinity };
  }
  const session = store.session(sessionId);
  if (session === undefined) {
    throw new MisuseError(`there is no session "${sessionId}" in ${state}: "rehearse sessions" lists them${didYouMean(sessionId, store.sessions().map((one) => one.id))}`);
  }
  const sessions = session.runs.every(isOld) ? [session] : [];
  const goes = (run: StoredRun) => sessions.length > 0 && run.record.session?.id === session.id;
  return { sessions, runs: all.filter(goes), kept: all.filter((run) => !goes(run)) };
}

function removeSession({ id, runtimeArn, endpointName = 'DEFAULT', mounts }: StoredSession, { kept }: Plan, state: string, remove: (path: string) => void): void {
  remove(new SessionLog(join(state, 'agentcore', 'logs')).file({ runtimeId: runtimeArn.split('/').pop()!, endpoint: endpointName, sessionId: id }));
  const used = new Set(kept.flatMap(({ record }) => record.session?.mounts ?? []).map(({ source }) => source));
  for (const { source } of mounts) {
    if (used.has(source)) continue; // a file system that sessions share
    if (isBelow(join(state, 'agentcore', 'workspaces'), source)) remove(dirname(source));
    else if (isBelow(join(state, 'agentcore', 'filesystems'), source)) remove(source);
  }
}

/** The workspaces and logs of sessions in which runs were verified. */
function verificationsOf({ runs }: Plan, state: string): string[] {
  const logs = new SessionLog(join(state, 'agentcore', 'logs'));
  const sessions = runs.flatMap(({ record }) => record.output?.verification?.sessions ?? []);
  // Workspaces and logs have the same names, which follow from the session alone. A verification may be of another runtime.
  const names = sessions.map((sessionId) => basename(logs.file({ runtimeId: '', endpoint: '', sessionId }), '.log'));
  const all = [...within(join(state, 'agentcore', 'workspaces'), 3), ...within(join(state, 'agentcore', 'logs'), 2)];
  return all.filter((path) => names.includes(basename(path, '.log')));
}

function isBelow(parent: string, path: string): boolean {
  return `${path}/`.startsWith(`${resolve(parent)}/`);
}

/** Files that killed runs have left: they have no record, and no run is under way. */
function strays({ kept, strayBefore }: Plan, state: string): string[] {
  if (strayBefore === undefined) return [];
  const used = new Set(kept.flatMap(({ record }) => record.session?.mounts ?? []).map(({ source }) => dirname(source)));
  const names = new Set(kept.map(({ record }) => record.id));
  const workspaces = within(join(state, 'agentcore', 'workspaces'), 3).filter((path) => !used.has(path));
  const begun = executionsIn(state).filter(({ name }) => !names.has(name)).map(({ file }) => file);
  const disks = [join(state, 'agentcore', 'microvms'), join(state, 'microvms'), join(state, 'apps')].flatMap((directory) => within(directory, 1));
  return [...workspaces, ...begun, ...disks].filter((path) => statSync(path).mtimeMs < strayBefore);
}

/** The files of each execution: its state, and its history. */
function executionsIn(state: string): { readonly file: string; readonly name: string }[] {
  return within(join(state, 'executions'), 1).filter((file) => file.endsWith('.json')).flatMap((file) => {
    const { name } = JSON.parse(readFileSync(file, 'utf8')) as { readonly name: string };
    return [file, file.replace(/\.json$/, '.history.jsonl')].filter((one) => existsSync(one)).map((one) => ({ file: one, name }));
  });
}

/** The files that runs left in buckets. If no run is kept, also the events, messages and metrics of all runs, which are one file each. */
function filesOf({ runs, kept, strayBefore }: Plan, state: string): string[] {
  const { artifacts, events, messages, metrics } = new KeptFiles(state);
  const names = new Set(runs.map(({ record }) => record.id));
  const directories = existsSync(artifacts) ? readdirSync(artifacts, { recursive: true, encoding: 'utf8' }).filter((path) => names.has(basename(path))) : [];
  return [...directories.map((path) => join(artifacts, path)), ...kept.length === 0 && strayBefore === Infinity ? [events, messages, metrics] : []];
}

function within(directory: string, depth: number): string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory).map((entry) => join(directory, entry));
  return depth === 1 ? entries : entries.flatMap((entry) => within(entry, depth - 1));
}

async function removeCopies({ runs, kept }: Plan, state: string, remove: (path: string) => void): Promise<string[]> {
  const used = new Set(kept.map(({ record }) => record.repository.copy));
  const told: string[] = [];
  const repositories = new Map(runs.map(({ record }) => [record.repository.copy, record.repository.source]));
  for (const [copy, source] of repositories) {
    if (used.has(copy) || !isBelow(join(state, 'repositories'), copy) || !existsSync(copy)) continue;
    const branches = await branchesOnlyIn(copy, source);
    if (branches.length === 0) remove(copy);
    else told.push(`kept ${copy}, since ${source} does not have ${branches.slice(0, 5).join(', ')}${branches.length > 5 ? ` and ${branches.length - 5} more` : ''}: fetch what you want from there, then remove it`);
  }
  return told;
}

function sizeOf(path: string): number {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return stats.size;
  let entries: string[] = [];
  try {
    entries = readdirSync(path);
  } catch {
    // Directories that a session has made unreadable are not counted.
  }
  return entries.reduce((sum, entry) => sum + sizeOf(join(path, entry)), 0);
}

function inUnits(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
