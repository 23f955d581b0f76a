import { LOOP_LIMITS } from './constants';
import type { TestResults } from './junit';
import { collector, runStepJob, StepJob, StepRequest, StepTools } from './step';
import { ERRORS, LIMITS, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';

/** The reports of a gate, or the reason why there are none to rely on. */
export type ReadReport = { readonly results: TestResults; readonly fault?: undefined } | { readonly results?: undefined; readonly fault: string };

/** The place of the reports of a gate. */
interface Reports {
  /** The pattern of their paths, relative to the directory in which the gate runs. */
  readonly pattern: string;
  /** The gate, and its repetition, in names of jobs. */
  readonly label: string;
  /** The directory, the user and the environment of the gate's command. */
  readonly job: Partial<StepJob>;
}

/**
 * Lists the files that match the pattern, with or without their contents: `@reports <number of files> <bytes>`, a line for each file with its size
 * and its times, a line for each file with its name, and the contents one after the other.
 *
 * The pattern is bash's own: `*` and `?` within a name, `**` for any number of directories. It is a value, so nothing in it is run.
 */
const SCRIPT = [
  'shopt -s globstar nullglob',
  'IFS= files=() bytes=0',
  'for file in $WB_PATTERN; do [[ ! -f $file ]] || files+=("$file"); done',
  `if ((\${#files[@]} == 0 || \${#files[@]} > ${LOOP_LIMITS.reportFiles})); then echo "@reports \${#files[@]} 0"; exit; fi`,
  'lines=$(stat -L -c "%s %i %y %z" -- "${files[@]}") || exit 1',
  'while IFS=" " read -r size _; do bytes=$((bytes + size)); done <<<"$lines"',
  'printf "@reports %s %s\\n%s\\n" "${#files[@]}" "$bytes" "$lines"',
  'printf "%q\\n" "${files[@]}"',
  `[[ $WB_CONTENTS != yes ]] || ((bytes > ${LOOP_LIMITS.reportBytes})) || exec cat -- "\${files[@]}"`,
].join('\n');

/** Lists what matches before the gate runs. A call that repeats the step gets the same answer, since a job runs once. */
export function before(request: StepRequest, tools: StepTools, reports: Reports): Promise<Listed> {
  return listed(request, tools, reports, 'before');
}

/** Reads the reports that the gate has written. */
export async function reported(request: StepRequest, tools: StepTools, reports: Reports & { readonly stale: Listed }): Promise<ReadReport> {
  const { pattern, stale } = reports;
  if (stale.fault !== undefined) return { fault: stale.fault };
  const { files, fault } = await listed(request, tools, reports, 'after');
  if (fault !== undefined) return { fault };
  if (files.length === 0) return { fault: `the command wrote no report: no file matches "${pattern}"` };
  const old = new Map(stale.files.map(({ name, identity }) => [name, identity]));
  const fresh = files.filter(({ name, identity }) => old.get(name) !== identity);
  if (fresh.length === 0) return { fault: `the command wrote no report: ${files[0].name} is older than the command` };
  await tools.keepReports?.(request, reports.label, fresh);
  // The parser is a file of its own, which only gates with a report load.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only for gates with a report; Jest cannot import() without ".ts"
  const { readReports, ReportError } = require('./junit') as typeof import('./junit');
  try {
    return { results: readReports(fresh) };
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    return { fault: error.message };
  }
}

interface Listed {
  readonly files: readonly {
    readonly name: string;
    /** Its size and its times. The time of the last change cannot be set to another value. */
    readonly identity: string;
    /** Empty if the contents were not asked for. */
    readonly xml: Buffer;
  }[];
  /** The reason why they cannot be relied on. */
  readonly fault?: string;
}

async function listed(request: StepRequest, tools: StepTools, { pattern, label, job }: Reports, when: 'before' | 'after'): Promise<Listed> {
  const { onOutput, output } = collector(2 * LOOP_LIMITS.reportBytes);
  const result = await runStepJob(request, { ...tools, onOutput }, {
    ...job,
    name: `reports ${when} ${label}`,
    command: SCRIPT,
    environment: { WB_PATTERN: pattern, WB_CONTENTS: when === 'after' ? 'yes' : 'no' },
    timeoutSeconds: LOOP_LIMITS.gitSeconds,
    tailBytes: 0,
    isOurs: true,
    logBytes: LIMITS.logBytes.max,
  });
  if (result.status === STATUSES.RUNNING) throw new SessionError(ERRORS.STREAM_CUT, 'listing the reports takes longer than one call of the driver');
  if (result.verdict === VERDICTS.LOST) return { files: [], fault: 'the microVM was lost before the reports were read' };
  return result.verdict === VERDICTS.PASSED ? listingOf(output(), when === 'after') : { files: [], fault: `"${pattern}" cannot be read` };
}

/** Reads the output of the script. Anything may have printed before it, and files may have changed in the meantime. */
export function listingOf(output: Buffer, hasContents: boolean): Listed {
  const failed = (fault: string) => ({ files: [], fault });
  const start = Math.max(0, output.indexOf('@reports '));
  const lines: string[] = [];
  let at = start;
  const line = () => {
    const end = output.indexOf('\n', at);
    const text = end < 0 ? undefined : output.subarray(at, end).toString();
    at = end + 1;
    return text;
  };
  const [, count, bytes] = (/^@reports (\d+) (\d+)$/.exec(line() ?? '') ?? []).map(Number);
  if (count === undefined) return failed('the list of the reports cannot be read');
  if (count > LOOP_LIMITS.reportFiles) return failed(`the gate has ${count} reports, and at most ${LOOP_LIMITS.reportFiles} are read: make "report" more specific`);
  if (hasContents && bytes > LOOP_LIMITS.reportBytes) {
    return failed(`the reports have ${bytes} bytes, and at most ${LOOP_LIMITS.reportBytes} are read: let the tests write less output into them`);
  }
  while (lines.length < 2 * count) {
    const text = line();
    if (text === undefined) return failed('the list of the reports cannot be read');
    lines.push(text);
  }
  if (hasContents && output.length !== at + bytes) return failed('the reports changed while they were read');
  const files = lines.slice(0, count).map((identity, index) => {
    const size = hasContents ? Number(identity.split(' ')[0]) : 0;
    at += size;
    return { name: lines[count + index], identity, xml: output.subarray(at - size, at) };
  });
  return { files };
}
