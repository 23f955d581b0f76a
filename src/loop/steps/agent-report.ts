import { stripVTControlCharacters } from 'util';
import type { AgentRecord } from './agent-record';
import { LOOP_ERRORS, NEXT } from './constants';
import { defined } from './results';
import type { LoopState } from './state';
import { AGENT_ERRORS, AgentReport, REPORT_LIMITS, REPORT_PREFIX } from '../../agent/constants';
import { maskSecrets } from '../../handler/mask';
import { VERDICTS } from '../../jobs/constants';
import type { JobResult } from '../../jobs/job';

/**
 * Reads what an agent reports of its turn. Anyone in the agent's session can write a report: it can end the run and misstate its own cost, and
 * decides nothing else. A file of its own, which only loops with such an agent load.
 */

/** The report of a turn, or the reason why there is none to read. */
type ReadReport = { readonly report: AgentReport; readonly fault?: undefined } | { readonly report?: undefined; readonly fault: string };

/** Returns the report in the end of a turn's output: in the last line that begins as one. */
export function reportIn(tail: string): ReadReport {
  const last = tail.split('\n').reverse().find((each) => each.startsWith(REPORT_PREFIX));
  if (last === undefined) return { fault: 'the turn has no report' };
  if (Buffer.byteLength(last) > REPORT_LIMITS.lineBytes) return { fault: `the report has more than ${REPORT_LIMITS.lineBytes} bytes` };
  try {
    return { report: readReport(JSON.parse(last.slice(REPORT_PREFIX.length))) };
  } catch (error) {
    return { fault: error instanceof FieldError ? `the report is not valid: ${error.message}` : 'the report is not JSON' };
  }
}

/** A field of a report is not as described. */
class FieldError extends Error {}

type Fields = { readonly [name: string]: unknown };

function readReport(value: unknown): AgentReport {
  const fields = object(value, 'the report');
  const { usage, error } = fields;
  return {
    name: line(fields, 'name') ?? missing('name'),
    ...defined({
      version: line(fields, 'version'),
      turns: count(fields, 'turns'),
      usage: usage === undefined ? undefined : usageIn(object(usage, '"usage"')),
      costUsd: number(fields, 'costUsd'),
      summary: text(fields, 'summary', REPORT_LIMITS.summary),
      error: error === undefined ? undefined : errorIn(object(error, '"error"')),
    }),
  };
}

function usageIn(fields: Fields): AgentReport['usage'] {
  return {
    inputTokens: count(fields, 'inputTokens') ?? missing('inputTokens'),
    outputTokens: count(fields, 'outputTokens') ?? missing('outputTokens'),
    ...defined({ cacheReadTokens: count(fields, 'cacheReadTokens'), cacheWriteTokens: count(fields, 'cacheWriteTokens') }),
  };
}

function errorIn(fields: Fields): NonNullable<AgentReport['error']> {
  const name = Object.values(AGENT_ERRORS).find((each) => each === fields.name);
  if (name === undefined) throw new FieldError('"error.name" is not the name of an error of agents');
  return { name, message: text(fields, 'message', REPORT_LIMITS.message) ?? '' };
}

function missing(name: string): never {
  throw new FieldError(`"${name}" is missing`);
}

function object(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FieldError(`${name} is not an object`);
  return value as Fields;
}

function number(fields: Fields, name: string): number | undefined {
  const { [name]: value } = fields;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new FieldError(`"${name}" is not a number of at least 0`);
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** Returns a whole number: a program may have computed it from text such as `1.2k`. */
function count(fields: Fields, name: string): number | undefined {
  const value = number(fields, name);
  return value === undefined ? undefined : Math.round(value);
}

/** Returns a text, or nothing for one that is empty. */
function text(fields: Fields, name: string, length: number): string | undefined {
  const { [name]: value } = fields;
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new FieldError(`"${name}" is not text`);
  return cleaned(value, length) || undefined;
}

function line(fields: Fields, name: string): string | undefined {
  return text(fields, name, REPORT_LIMITS.name)?.replace(/\s+/g, ' ');
}

/**
 * Returns the visible text, in lines, at most so long: without terminal sequences, control characters, characters that hide or reorder others, and
 * halves of characters, and without what looks like a secret.
 */
export function cleaned(value: string, length: number): string {
  const visible = stripVTControlCharacters(value)
    .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
    .replace(/\t/g, ' ')
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}]|(?!\n)\p{Cc}/gu, '');
  return shortened(maskSecrets(visible).replace(/[^\S\n]+$/gm, '').replace(/\n{3,}/g, '\n\n').trim(), length);
}

/** Returns at most so many characters, as UTF-16 counts them, and no half of one. */
function shortened(value: string, length: number): string {
  return value.length <= length ? value : `${value.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '').trimEnd()}…`;
}

/** Returns the record of an agent with one more report. */
function added(before: AgentRecord = {}, { error: _, ...report }: AgentReport): AgentRecord {
  return {
    ...before,
    ...defined({
      name: report.name,
      version: report.version ?? before.version,
      turns: sum(before.turns, report.turns),
      usage: usageOf(before.usage, report.usage),
      costUsd: sum(before.costUsd, report.costUsd),
      summary: report.summary ?? before.summary,
    }),
  };
}

function usageOf(a: AgentRecord['usage'], b: AgentRecord['usage']): AgentRecord['usage'] {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    inputTokens: sum(a.inputTokens, b.inputTokens)!,
    outputTokens: sum(a.outputTokens, b.outputTokens)!,
    ...defined({ cacheReadTokens: sum(a.cacheReadTokens, b.cacheReadTokens), cacheWriteTokens: sum(a.cacheWriteTokens, b.cacheWriteTokens) }),
  };
}

/** Returns a sum without the noise of binary fractions. */
function sum(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const all = Math.min(a + b, Number.MAX_SAFE_INTEGER);
  return Number.isInteger(all) ? all : Number(all.toPrecision(12));
}

/** Returns the state with a turn that has no report. */
function unreported(loop: LoopState, reason: string): LoopState {
  const { agent } = loop;
  return { ...loop, agent: { ...agent, unreported: { turns: (agent?.unreported?.turns ?? 0) + 1, reason } } };
}

/** Returns the state after a turn whose job has ended: as reported, or as its verdict says. */
export function afterTurn(loop: LoopState, { verdict, exitCode, tail, logPath }: JobResult): LoopState {
  const { report, fault } = reportIn(tail);
  const said = report === undefined ? unreported(loop, fault) : { ...loop, agent: added(loop.agent, report) };
  const where = `${verdict}, exit code ${exitCode}; the whole output is in ${logPath}`;
  if (report?.error !== undefined && verdict !== VERDICTS.TIMED_OUT) {
    const { name, message } = report.error;
    return { ...said, next: NEXT.NO_WORK, agentError: { name, message: [message, where].filter((part) => part !== '').join('\n') } };
  }
  if (verdict === VERDICTS.PASSED) return { ...said, next: NEXT.GO_ON };
  const output = tail.split('\n').filter((each) => !each.startsWith(REPORT_PREFIX)).join('\n');
  return { ...said, next: NEXT.NO_WORK, agentError: { name: LOOP_ERRORS.TURN_FAILED, message: maskSecrets(`${where}: \n${output.slice(-4_000)}`) } };
}

/** Returns the state after a turn that was lost: its tokens are spent, and nobody knows how many. */
export function afterLoss(loop: LoopState): LoopState {
  return unreported(loop, 'the turn was lost');
}
