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
