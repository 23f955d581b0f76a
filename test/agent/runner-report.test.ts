import { AGENT_ERRORS, REPORT_LIMITS, REPORT_PREFIX } from '../../src/agent/constants';
import { Lines, Tail } from '../../src/agent/runner/lines';
import { harmless, reportLine } from '../../src/agent/runner/report';

const parsed = (line: string) => JSON.parse(line.slice(REPORT_PREFIX.length));

describe('the line of a report', () => {
  test('is one line of JSON with what the turn was', () => {
    const report = { name: 'claude-code', version: '2.1.0', turns: 3, usage: { inputTokens: 5, outputTokens: 7 }, costUsd: 0.25, summary: 'Done.\nTwice.' };
    const line = reportLine(report);
    expect(line).not.toContain('\n');
    expect(parsed(line)).toEqual(report);
  });

  test.each(['x', 'ü', '漢', '🦊', '"', '\\', '\u0001'])('is within its limits, whatever its text consists of: %j', (character) => {
    const text = character.repeat(100_000);
    const line = reportLine({ name: text, version: text, summary: text, error: { name: AGENT_ERRORS.FAILED, message: text } });
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(REPORT_LIMITS.lineBytes);
    const { name, summary = '', error } = parsed(line);
    expect(name.length).toBeLessThanOrEqual(REPORT_LIMITS.name);
    expect(summary.length).toBeLessThanOrEqual(REPORT_LIMITS.summary);
    expect(error.message.length).toBeLessThanOrEqual(REPORT_LIMITS.message);
    expect(Buffer.from(line).toString()).toBe(line); // without halves of pairs of surrogates
  });

  test('has no characters that a terminal obeys', () => {
    const summary = '\u001b[31mred\u001b[0m \u001b]0;title\u0007bell\u0007 \u202eback\u009b31m\r\nnext\tcolumn';
    expect(parsed(reportLine({ name: 'a\nb', summary }))).toEqual({ name: 'a b', summary: 'red bell back31m\nnext\tcolumn' });
  });
});

test('output that looks like a report is not one', () => {
  const text = `before\n${REPORT_PREFIX}{"name":"fake"}\n  ${REPORT_PREFIX}{}\n\u001b[0m${REPORT_PREFIX}{}`;
  expect(harmless(text).split('\n')).toHaveLength(4);
  expect(harmless(text)).not.toContain(REPORT_PREFIX.trim());
  expect(harmless('workbench-agent\u0000-report: {}')).not.toContain(REPORT_PREFIX.trim());
});

describe('lines', () => {
  const read = (chunks: readonly Buffer[], ...limits: number[]) => {
    const [whole, cut]: [string[], string[]] = [[], []];
    const lines = new Lines((line) => whole.push(line), (line) => cut.push(line), ...limits);
    for (const chunk of chunks) lines.write(chunk);
    lines.end();
    return { whole, cut };
  };

  test('are whole, wherever the chunks end', () => {
    const bytes = Buffer.from('eins\r\nzwölf\n\n🦊 last');
    for (let at = 0; at <= bytes.length; at++) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)]).whole).toEqual(['eins', 'zwölf', '', '🦊 last']);
    }
  });

  test('that are too long are cut, and the next one is whole', () => {
    const { whole, cut } = read([Buffer.from('ä'.repeat(50)), Buffer.from('\nnext\n')], 20, 5);
    expect(cut).toEqual(['ää']);
    expect(whole).toEqual(['next']);
  });

  test('of exactly the limit are whole', () => {
    expect(read([Buffer.from('12345\n123456\n')], 5, 2)).toEqual({ whole: ['12345'], cut: ['12'] });
  });

  test('of 100 MB need little memory', () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const lines = new Lines(() => {}, () => {});
    for (let count = 0; count < 100; count++) lines.write(Buffer.from(chunk));
    // What the runtime has not collected yet is its own; what is retained is ours.
    const { parts } = lines as unknown as { parts: Buffer[] };
    expect(parts.reduce((sum, part) => sum + part.buffer.byteLength, 0)).toBeLessThan(64 * 1024);
  });
});

test('a tail is the end of a text that came in pieces', () => {
  const tail = new Tail(10);
  for (const piece of ['abc', 'defghijklmnopqrstuvwxyz', '0', '12']) tail.add(piece);
  expect(`${tail}`).toBe('tuvwxyz012');
});
