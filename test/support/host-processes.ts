import { readdirSync, readFileSync } from 'node:fs';

/** The command lines of all processes on this machine, their words apart by spaces. Not by `ps`: other tests' commands can be megabytes long. */
export function commandLines(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ')];
    } catch {
      return []; // it has ended
    }
  });
}

/** Whether a process is there, and has not ended: the first process of a container may never ask how. */
export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
