import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';

/** A process, so that a later one with the same id is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Identifies this run of the program to itself: in a container, the next process often has the same id. */
  readonly instance?: string;
  /** The kernel's boot id, and the clock ticks between its start and the process's. @default - not known, if there is no /proc */
  readonly boot?: string;
  readonly startTime?: string;
}

const INSTANCE = randomUUID();

/** @param pid of this process, unless given */
export function identityOf(pid = process.pid): ProcessIdentity {
  return { pid, instance: pid === process.pid ? INSTANCE : undefined, boot: read('/proc/sys/kernel/random/boot_id'), startTime: statOf(pid)?.startTime };
}

/** Determines whether this very process still runs, even if it belongs to another user. */
export function isAlive(identity: ProcessIdentity): boolean {
  const { pid, instance, boot, startTime } = identity;
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return instance === INSTANCE;
  const now = statOf(pid);
  const changed = (then: string | undefined, at: string | undefined) => then !== undefined && at !== undefined && then !== at;
  if (now?.ended || changed(boot, read('/proc/sys/kernel/random/boot_id')) || changed(startTime, now?.startTime)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Determines whether both are the same process. */
export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTime === other.startTime && one.boot === other.boot;
}

const removals = new Set<() => void>();
const removeAll = () => removals.forEach((remove) => remove());

/** Removes a file when the process ends, however it does, short of a kill. Returns what removes it at once. */
export function removedAtExit(file: string): () => void {
  const remove = () => {
    if (!removals.delete(remove)) return; // it may be another's by now
    if (removals.size === 0) process.off('exit', removeAll);
    rmSync(file, { force: true });
  };
  if (removals.size === 0) process.on('exit', removeAll);
  removals.add(remove);
  return remove;
}

/** `proc(5)`: the name, in brackets, may hold spaces and brackets. */
function statOf(pid: number): { readonly ended: boolean; readonly startTime: string } | undefined {
  const fields = read(`/proc/${pid}/stat`)?.replace(/^.*\) /s, '').split(' ');
  return fields && { ended: fields[0] === 'Z' || fields[0] === 'X', startTime: fields[19] };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
