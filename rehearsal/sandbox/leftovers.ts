import { readdirSync, readFileSync } from 'node:fs';

/** Carried in the environment of each command's processes, to find them again when they have left their process group and parents. */
export const EXEC_MARKER = 'REHEARSAL_EXEC_ID';

/**
 * Returns the process ids, inside the sandbox, of a command's descendants. A process that clears its environment and detaches itself is not
 * found; it ends with the sandbox.
 *
 * @param initPid the host's process id of the sandbox's process 1
 */
export function processesOf(initPid: number, execId: string): number[] {
  const proc = `/proc/${initPid}/root/proc`;
  const marker = `${EXEC_MARKER}=${execId}`;
  return list(proc).filter(pid => {
    try {
      return readFileSync(`${proc}/${pid}/environ`, 'utf8').split('\0').includes(marker) && !isZombie(`${proc}/${pid}/stat`);
    } catch {
      return false; // ended meanwhile
    }
  });
}

function list(proc: string): number[] {
  try {
    return readdirSync(proc).map(Number).filter(pid => Number.isInteger(pid) && pid > 1);
  } catch {
    return [];
  }
}

function isZombie(statFile: string): boolean {
  const stat = readFileSync(statFile, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}
