import { AgentReport, REPORT_LIMITS, REPORT_PREFIX } from '../constants';

/** Control characters, halves of surrogate pairs, and marks that change the direction of text or end lines: all that a terminal obeys. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const ESCAPE_SEQUENCES = /\u001b(\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** Returns text without what a terminal obeys. Tabs and ends of lines are kept. */
export function printable(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCES, '')
    .replace(/\r\n?/g, '\n')
    .replace(UNPRINTABLE, (character) => (character === '\n' || character === '\t' ? character : ''));
}

/** Returns output of the program in which no line is taken for the report. */
export function harmless(text: string): string {
  return printable(text).split(REPORT_PREFIX.trim()).join(REPORT_PREFIX.trim().replace(':', ' '));
}

/** Returns at most so many characters of the text, without dividing one. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Returns the line of the report, within its limits. */
export function reportLine(report: AgentReport): string {
  return lineOf(boundedReport(report));
}

/** Returns the report within its limits, and without characters that a terminal obeys. */
export function boundedReport(report: AgentReport): AgentReport {
  const { name, version, turns, usage, costUsd, error } = report;
  const bounded = {
    name: shortened(oneLine(name), REPORT_LIMITS.name),
    ...(version === undefined ? {} : { version: shortened(oneLine(version), REPORT_LIMITS.name) }),
    ...(turns === undefined ? {} : { turns }),
    ...(usage === undefined ? {} : { usage }),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(error === undefined ? {} : { error: { name: error.name, message: shortened(printable(error.message), REPORT_LIMITS.message) } }),
  };
  const summary = printable((report.summary ?? '').slice(0, 4 * REPORT_LIMITS.summary)).trim();
  // A character has up to four bytes, and up to six when JSON escapes it.
  for (let length: number = REPORT_LIMITS.summary; length >= 16 && summary !== ''; length = Math.floor(length * 0.8)) {
    const whole = { ...bounded, summary: shortened(summary, length) };
    if (Buffer.byteLength(lineOf(whole)) <= REPORT_LIMITS.lineBytes) return whole;
  }
  return bounded;
}

function lineOf(report: AgentReport): string {
  return `${REPORT_PREFIX}${JSON.stringify(report)}`;
}

function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}
