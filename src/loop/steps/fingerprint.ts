import { createHash } from 'crypto';
import { JobResult } from '../../jobs/job';

/** Patterns of what differs between outputs of the same failure, in the order of removal. Counts stay: fewer failing tests are progress. */
const NOISE: readonly RegExp[] = [
  /\x1b\[[0-9;]*[A-Za-z]/g,
  /\d+(?:[.,]\d+)?\s*(?:ns|µs|us|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|[kmg]i?b|bytes)\b/gi,
  /\b(?:duration|time|took|elapsed|seed|pid|port)\w*\W{0,4}\d+(?:[.,]\d+)?/gi,
  // Addresses, hashes, and numbers that are ports, processes or times since 1970.
  /0x[0-9a-f]+|\b[0-9a-f]{7,}\b|\d{5,}/gi,
  /\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?/g,
  // Positions in a file, which an edit above moves.
  /(?<=\.\w+['")]?[:(])\d+(?:[:,]\d+)?|\bline \d+|(?:\bcol(?:umn)?) \d+/gi,
  /\d+[.,]\d{3,}/g,
];

/** Returns a fingerprint of a failure, without what differs each time, such as durations, dates and addresses. */
export function fingerprint(name: string, verdict: string, { exitCode, tail }: Pick<JobResult, 'exitCode' | 'tail'>, changedFiles: readonly string[]): string {
  // Test runners print this for slow tests only.
  const text = NOISE.reduce((rest, noise) => rest.replace(noise, '#'), tail.replace(/, estimated \d+ s\b/g, '')).replace(/\s*\(#\)/g, '');
  return createHash('sha256').update(JSON.stringify([name, verdict, exitCode, text, changedFiles])).digest('hex').slice(0, 16);
}
