import { readdirSync, readFileSync } from 'node:fs';

/** Returns the command lines of all processes, words separated by spaces. Does not use `ps`: other tests' commands can be megabytes long. */
export function commandLines(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ')];
    } catch {
      return []; // it has ended
    }
  });
}

/** Determines whether a process is running. A zombie does not count: the first process of a container may never reap its children. */
export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
