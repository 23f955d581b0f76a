import { createHash } from 'crypto';
import { JobResult } from '../../jobs/job';

/** What differs in an output although nothing else does, in this order. Counts and percentages stay: fewer failing tests are progress. */
const NOISE: readonly RegExp[] = [
  /\x1b\[[0-9;]*[A-Za-z]/g,
  /\d+(?:[.,]\d+)?\s*(?:ns|µs|us|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|[kmg]i?b|bytes)\b/gi,
  /\b(?:duration|time|took|elapsed|seed|pid|port)\w*\W{0,4}\d+(?:[.,]\d+)?/gi,
  // Addresses, hashes, and numbers that are ports, processes or times since 1970.
  /0x[0-9a-f]+|\b[0-9a-f]{7,}\b|\d{5,}/gi,
  /\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?/g,
  // Where in a file: an edit above moves it.
  /(?<=\.\w+['")]?[:(])\d+(?:[:,]\d+)?|\bline \d+|(?:\bcol(?:umn)?) \d+/gi,
  /\d+[.,]\d{3,}/g,
];

/** Tells one failure from another: without what differs each time, such as durations, dates and addresses. */
export function fingerprint(name: string, verdict: string, { exitCode, tail }: Pick<JobResult, 'exitCode' | 'tail'>, changedFiles: readonly string[]): string {
  // What is told of slow tests only is left out.
  const text = NOISE.reduce((rest, noise) => rest.replace(noise, '#'), tail.replace(/, estimated \d+ s\b/g, '')).replace(/\s*\(#\)/g, '');
  return createHash('sha256').update(JSON.stringify([name, verdict, exitCode, text, changedFiles])).digest('hex').slice(0, 16);
}
