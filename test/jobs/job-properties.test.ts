import * as fc from 'fast-check';
import { COMMAND_MODES } from '../../rehearsal/agentcore/words';
import { JobEnd } from '../../src/jobs/job-stream';
import { LocalJobs } from '../support/local-jobs';

const jobs = new LocalJobs();
afterAll(() => jobs.close());

/** Text that confuses shells and splitters, among other text. */
const nasty = fc.constantFrom(
  "'", "''", "'\\''", '"', '\\', '\\\\', '\n', '\r\n', '\t', ' ', '  ', '$(exit 9)', '${HOME}', '$HOME', '`id`', '*', '?', '[a-z]*', '~', '-', '--', '-n', '-e',
  '!', '!!', '#', '&&', '||', ';', '|', '>', '<', '(', ')', '{a,b}', '=', 'A=b', '%s', '\\n', '\u0001', '\u007f', '\u0085', '\u2028', 'é', '日本語', '👩‍👩‍👧‍👦', '@end', '', '\ufeff',
);
const word = fc.array(fc.oneof(nasty, fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 6 })
  .map((parts) => parts.join('').replaceAll('\0', ''));

/** The number of schedules of cut calls. `.ci/nightly` runs a thousand. */
const INTERLEAVINGS = Number(process.env.WORKBENCH_INTERLEAVINGS ?? 80);

let next = 0;

test.each(COMMAND_MODES)('thousands of arguments and variables reach a program byte for byte, whichever reader parses the command: %s', async (mode) => {
  jobs.mode = mode;
  let count = 0;
  const variables = fc.array(word, { minLength: 5, maxLength: 5 });
  await fc.assert(fc.asyncProperty(fc.array(word, { minLength: 100, maxLength: 100 }), variables, async (words, values) => {
    const { end, output } = await jobs.call({
      job: `words-${next++}`,
      // "$0" is the first of them, and each variable follows the last.
      words: ['bash', '-c', 'printf "%s\\0" "$0" "$@"; for i in {0..4}; do declare -n value=V$i; printf "%s\\0" "$value"; done', ...words],
      environment: Object.fromEntries(values.map((value, index) => [`V${index}`, value])),
    });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 0 });
    expect(output.toString('utf8').split('\0').slice(0, -1)).toEqual([...words, ...values]);
    count += words.length;
  }), { numRuns: 34, endOnFailure: true });
  expect(count).toBeGreaterThanOrEqual(3_400);
}, 120_000);

test(`${INTERLEAVINGS} interleavings of attach and cut give the same log`, async () => {
  const line = 'line %05d: it\'s "all" $here\\n';
  const schedule = fc.record({
    lines: fc.integer({ min: 1, max: 3_000 }),
    pauses: fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 2 }),
    cuts: fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 4 }),
    fromStart: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  });
  const one = async ({ lines, pauses, cuts, fromStart }: { lines: number; pauses: number[]; cuts: number[]; fromStart: boolean[] }) => {
    const job = `cuts-${next++}`;
    const command = [
      'echo start >&3',
      `for i in {1..${lines}}; do printf '${line.replaceAll("'", "'\\''")}' $i; ${pauses.map((at) => `[[ $i != ${at} ]] || sleep 0.01`).join('; ') || ':'}; done`,
    ].join('; ').replace('>&3', `>> starts-${job}`);
    const expected = Array.from({ length: lines }, (_, i) => `line ${String(i + 1).padStart(5, '0')}: it's "all" $here\n`).join('');
    const log = Buffer.alloc(Buffer.byteLength(expected), 0);
    let offset = 0;
    let last: JobEnd | undefined;
    for (const [index, cutAfterBytes] of [...cuts, Infinity].entries()) {
      const call = await jobs.call({ job, command, offset: fromStart[index] ? 0 : offset }, Number.isFinite(cutAfterBytes) ? { cutAfterBytes } : {});
      for (const record of call.records) {
        if (record.kind !== 'out') continue;
        record.data.copy(log, record.offset);
        offset = Math.max(offset, record.offset + record.data.length);
      }
      last = call.end ?? last;
      // A cut may come after the end; the last call is not cut and must observe it.
      if (index === cuts.length) last = call.end;
    }
    expect(last).toMatchObject({ state: 'EXITED', exitCode: 0, bytes: log.length });
    expect(log.toString()).toBe(expected);
    const starts = await jobs.call({ job: `${job}-starts`, command: `cat starts-${job}` });
    expect({ ...starts, output: starts.output.toString() }).toMatchObject({ end: { state: 'EXITED', exitCode: 0 }, output: 'start\n' });
  };
  // Four at a time, since each mostly waits.
  await fc.assert(fc.asyncProperty(fc.tuple(schedule, schedule, schedule, schedule), async (schedules) => {
    await Promise.all(schedules.map(one));
  }), { numRuns: Math.ceil(INTERLEAVINGS / 4), endOnFailure: true });
}, 60_000 + INTERLEAVINGS * 2_000);
