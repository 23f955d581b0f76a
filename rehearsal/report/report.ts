import type { RehearsalRecord } from '../run/record';

/** One file, without anything from a network. */
export function reportOf(record: RehearsalRecord): string {
  return `<!doctype html><pre>${JSON.stringify(record, undefined, 2)}</pre>`;
}
