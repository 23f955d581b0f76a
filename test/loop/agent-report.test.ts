import * as fc from 'fast-check';
import { AGENT_ERRORS, REPORT_LIMITS, REPORT_PREFIX } from '../../src/agent/constants';
import { reportLine as runnersLine } from '../../src/agent/runner/report';
import { afterLoss, afterTurn, cleaned, reportIn } from '../../src/loop/steps/agent-report';
import { LOOP_LIMITS } from '../../src/loop/steps/constants';
import type { LoopState } from '../../src/loop/steps/state';
import { reportLine } from '../support/reporting-turn';

const LOOP: LoopState = { next: 'RUNNING', round: 0, losses: 0, rebases: 0, base: 'a', gates: [] };
const ended = (tail: string, verdict: 'PASSED' | 'FAILED' | 'TIMED_OUT' = 'PASSED') => (
  { job: 'j', status: 'ENDED', verdict, exitCode: 0, tail, logPath: '/log', seconds: 1, outputBytes: 1, attaches: 0, run: 'r' } as const
);
const faultOf = (report: unknown) => reportIn(`${REPORT_PREFIX}${JSON.stringify(report)}`).fault;

/** A report of which any field may be missing, or be anything. */
const FIELDS = fc.record({
  name: fc.oneof(fc.string(), fc.anything()),
  version: fc.anything(),
  turns: fc.oneof(fc.nat(), fc.anything()),
  usage: fc.oneof(
    fc.record({ inputTokens: fc.oneof(fc.nat(), fc.anything()), outputTokens: fc.nat(), cacheReadTokens: fc.double() }, { requiredKeys: [] }),
    fc.anything(),
  ),
  costUsd: fc.oneof(fc.double(), fc.anything()),
  summary: fc.oneof(fc.string({ unit: 'binary', maxLength: 3_000 }), fc.anything()),
  error: fc.oneof(fc.record({ name: fc.oneof(fc.constantFrom(...Object.values(AGENT_ERRORS)), fc.string()), message: fc.anything() }), fc.anything()),
}, { requiredKeys: [] });

const GOOD = fc.record({
  name: fc.string({ minLength: 1, maxLength: 500, unit: 'binary' }),
  version: fc.string({ maxLength: 500, unit: 'binary' }),
  turns: fc.nat(),
  usage: fc.record({
    inputTokens: fc.maxSafeNat(), outputTokens: fc.maxSafeNat(), cacheReadTokens: fc.maxSafeNat(), cacheWriteTokens: fc.maxSafeNat(),
  }),
  costUsd: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  summary: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3_000 }),
    fc.constantFrom(
      '漢'.repeat(1_800), '"'.repeat(2_500), '\u{1F600}'.repeat(1_300), '\n\\x'.repeat(800),
    ),
  ),
}, { requiredKeys: ['name'] });

describe('a report', () => {
  test('is read, or said to be unreadable, and only ends the run with an error of agents, whatever is printed', () => {
    const tail = fc.oneof(fc.string({ unit: 'binary' }), FIELDS.map((fields) => `output\n${REPORT_PREFIX}${JSON.stringify(fields)}`), fc.string().map((text) => `${REPORT_PREFIX}${text}`));
    fc.assert(fc.property(tail, fc.constantFrom('PASSED' as const, 'FAILED' as const, 'TIMED_OUT' as const), (text, verdict) => {
      const { agent, agentError, next, ...rest } = afterTurn(LOOP, ended(text, verdict));
      const { next: _, ...same } = LOOP;
      expect(rest).toEqual(same);
      expect(['GO_ON', 'NO_WORK']).toContain(next);
      expect(next === 'NO_WORK').toBe(agentError !== undefined);
      expect(next === 'GO_ON' ? verdict : 'PASSED').toBe('PASSED');
      expect([...Object.values(AGENT_ERRORS), 'CodingLoop.TurnFailed', undefined]).toContain(agentError?.name);
      expect(agentError?.message.length ?? 0).toBeLessThan(5_000);
      expect(Object.keys(agent!).filter((key) => !['name', 'version', 'turns', 'usage', 'costUsd', 'summary', 'unreported'].includes(key))).toEqual([]);
    }), { numRuns: 1_000 });
  });

  test('has room in a state, after any number of turns, and its numbers stay numbers', () => {
    fc.assert(fc.property(fc.array(fc.oneof(GOOD, fc.constant(undefined)), { maxLength: 12 }), (reports) => {
      const { agent } = reports.reduce((loop, report) => (report === undefined ? afterLoss(loop) : afterTurn(loop, ended(reportLine(report)))), LOOP);
      expect(Buffer.byteLength(JSON.stringify(agent ?? {}))).toBeLessThan(LOOP_LIMITS.agentBytes);
      expect(JSON.parse(JSON.stringify(agent ?? {}))).toEqual(agent ?? {});
      const { turns = 0, costUsd = 0, usage = {} } = agent ?? {};
      for (const number of [turns, costUsd, ...Object.values(usage) as number[]]) expect(Number.isFinite(number) && number >= 0).toBe(true);
    }), { numRuns: 500 });
  });

  test('of the runner is read as it is, whatever is in it', () => {
    fc.assert(fc.property(GOOD, fc.constantFrom(undefined, ...Object.values(AGENT_ERRORS)), fc.string({ unit: 'binary' }), (fields, name, message) => {
      const report = { ...fields, name: `a${fields.name}`, ...name === undefined ? {} : { error: { name, message } } };
      const { report: read, fault } = reportIn(`${runnersLine(report)}\n`);
      const { turns, usage } = report;
      expect({ fault, turns: read?.turns, usage: read?.usage, error: read?.error?.name }).toEqual({ fault: undefined, turns, usage, error: name });
    }), { numRuns: 500 });
  });

  test('has whole numbers of tokens', () => {
    const { report } = reportIn(reportLine({ name: 'a', usage: { inputTokens: 1_200.0000000000002, outputTokens: 0.5 } }));
    expect(report!.usage).toEqual({ inputTokens: 1_200, outputTokens: 1 });
  });

  test('has sums that stay whole numbers', () => {
    const report = { name: 'a', turns: Number.MAX_SAFE_INTEGER, costUsd: 0.1 };
    const once = afterTurn(LOOP, ended(reportLine(report)));
    expect(afterTurn(once, ended(reportLine({ ...report, costUsd: 0.2 }))).agent).toEqual({ name: 'a', turns: Number.MAX_SAFE_INTEGER, costUsd: 0.3 });
  });

  test.each([
    ['no object', 'the report is not valid: the report is not an object', []],
    ['no name', 'the report is not valid: "name" is missing', {}],
    ['a name without visible characters', 'the report is not valid: "name" is missing', { name: '\u202e\u0007 ' }],
    ['a number as name', 'the report is not valid: "name" is not text', { name: 1 }],
    ['a negative number', 'the report is not valid: "turns" is not a number of at least 0', { name: 'a', turns: -1 }],
    ['text as a number', 'the report is not valid: "costUsd" is not a number of at least 0', { name: 'a', costUsd: '1' }],
    ['null as a number', 'the report is not valid: "costUsd" is not a number of at least 0', { name: 'a', costUsd: null }],
    ['a list as usage', 'the report is not valid: "usage" is not an object', { name: 'a', usage: [] }],
    ['half of a usage', 'the report is not valid: "outputTokens" is missing', { name: 'a', usage: { inputTokens: 1 } }],
    ['another error', 'the report is not valid: "error.name" is not the name of an error of agents', { name: 'a', error: { name: 'CodingLoop.Red', message: '' } }],
  ])('with %s is not valid', (_, fault, report) => {
    expect(faultOf(report)).toBe(fault);
  });

  test('may be as long as a line may be, and no longer', () => {
    const withLine = (bytes: number) => ({ name: 'a', x: 'x'.repeat(bytes - Buffer.byteLength(reportLine({ name: 'a', x: '' }))) });
    expect(faultOf(withLine(REPORT_LIMITS.lineBytes))).toBeUndefined();
    expect(faultOf(withLine(REPORT_LIMITS.lineBytes + 1))).toBe('the report has more than 6000 bytes');
  });

  test('with fields of a prototype has none of them', () => {
    const { report } = reportIn(`${REPORT_PREFIX}{"name":"a","__proto__":{"costUsd":-1,"summary":"x"},"constructor":{"name":"y"}}`);
    expect(report).toEqual({ name: 'a' });
    expect(Object.keys(report!)).toEqual(['name']);
  });
});

test('text of an agent is visible, bounded and without secrets', () => {
  expect(cleaned('\u001b[31mred\u001b[0m\r\nnext\u2028line\u0000\u202e\u200b\ud800\t.  \n\n\n\n.', 100)).toBe('red\nnext\nline .\n\n.');
  expect(cleaned('gh\u200bp_aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x', 100)).toBe('***');
  expect(cleaned('\u{1F600}'.repeat(10), 6)).toBe('\u{1F600}\u{1F600}…');
});
