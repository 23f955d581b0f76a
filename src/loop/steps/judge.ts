import { createHash } from 'crypto';
import { leftDirectoryOf, LOOP_ERRORS, LOOP_LIMITS, LOOP_METRICS } from './constants';
import { fingerprint } from './fingerprint';
import { jsonBytes } from './input';
import { BaseGate, GateRecord, TestsRecord } from './records';
import { before, ReadReport, reported } from './report';
import { brief, defined, named, NameList } from './results';
import { inWorkspace, runStepJob, StepJob, StepRequest, StepTools, strictly } from './step';
import { counted } from '../../handler/counted';
import { STATUSES, VERDICTS } from '../../jobs/constants';
import { JobResult, Verdict } from '../../jobs/job';

export interface GateConfig {
  readonly name: string;
  readonly command: string;
  readonly timeoutSeconds: number;
  readonly workingDirectory?: string;
  readonly environment?: { readonly [name: string]: string };
  readonly failFast?: readonly string[];
  /** @default true */
  readonly pipefail?: boolean;
  /** The number of times that a verification runs the gate again if it fails. */
  readonly retries?: number;
  /** A pattern of the paths of JUnit reports, relative to the working directory. */
  readonly report?: string;
  /** The minimum number of tests that run, for a gate with a report. */
  readonly minTests?: number;
  readonly failOnFewerTests?: boolean;
}

/** The result of a gate whose command has ended. */
export interface Judgement {
  /** `PASSED` is the only verdict that lets a change through. */
  readonly verdict: Verdict;
  readonly result: JobResult;
  /** Files that changed while the command ran. */
  readonly changedFiles: readonly string[];
  readonly record: GateRecord;
  /** The names of all failing tests, those that do not fail on the base first. */
  readonly failing?: readonly string[];
  /** The reason why the gate failed, if its output does not say so. */
  readonly reason?: string;
}

/** Differences of a gate that does not run in the agent's workspace. */
interface Where {
  readonly job?: Partial<StepJob>;
  /** The request for what is done with the files after the command. */
  readonly files?: StepRequest;
  /** The number of times that the gate has failed on the same files. */
  readonly retry?: number;
}

/** Runs a gate, and judges its result. Returns `running` if its command outlives this call of the driver. */
export async function judge(
  request: StepRequest, tools: StepTools, gate: GateConfig, where: Where = {},
): Promise<Judgement | { readonly running: JobResult }> {
  const label = where.retry ? `${gate.name} retry ${where.retry}` : gate.name;
  const job = { ...where.job, workingDirectory: directoryOf(request, gate) };
  const stale = gate.report === undefined ? undefined : await before(request, tools, { pattern: gate.report, label, job });
  const result = await runGate(request, tools, gate, { ...job, name: `gate ${label}` });
  if (result.status === STATUSES.RUNNING) return { running: result };
  const hasEnded = result.verdict === VERDICTS.PASSED || result.verdict === VERDICTS.FAILED;
  const report = stale === undefined || !hasEnded ? undefined : await reported(request, tools, { pattern: gate.report!, label, job, stale });
  const base = request.state.loop.baseCheck?.gates.find(({ name }) => name === gate.name);
  const said = weighed(gate, result, report, base, request.config.knownFailures === true);
  const passed = said.verdict === VERDICTS.PASSED;
  const { changed: changedFiles, left } = result.verdict === VERDICTS.INERT || result.verdict === VERDICTS.LOST
    ? { changed: [], left: undefined } : await changesSince(where.files ?? request, tools, label, passed);
  const verdict = passed && changedFiles.length > 0 ? VERDICTS.FAILED : said.verdict;
  const { exitCode, seconds, logPath } = result;
  const { tests, reason, failing, knownFailure } = said;
  const record = { name: gate.name, verdict, exitCode, seconds, logPath, ...defined({ left, tests, knownFailure, reason }) };
  return { verdict, result, changedFiles, record, ...defined({ failing, reason }) };
}

function directoryOf({ state: { run: { clone } } }: StepRequest, { workingDirectory }: GateConfig): string {
  return workingDirectory === undefined ? clone : `${clone}/${workingDirectory}`;
}

/** Runs the command of a gate in the clone. */
function runGate(request: StepRequest, tools: StepTools, config: GateConfig, how: Partial<StepJob>): Promise<JobResult> {
  return runStepJob(request, tools, {
    name: `gate ${config.name}`,
    command: config.command,
    timeoutSeconds: config.timeoutSeconds,
    environment: config.environment,
    failFast: config.failFast,
    prologue: strictly(config.pipefail),
    // A state holds 256 KiB, most of which the prompt may need.
    tailBytes: jsonBytes(request.state.prompt) > LOOP_LIMITS.promptBytes / 2 ? LOOP_LIMITS.feedbackBytes / 4 : LOOP_LIMITS.feedbackBytes,
    ...how,
  });
}

/** Returns a short name for a test, of which a state can hold many. */
export function shortNameOf(test: string): string {
  return createHash('sha256').update(test).digest('base64url').slice(0, LOOP_LIMITS.shortName);
}

interface Weighed {
  readonly verdict: Verdict;
  readonly tests?: TestsRecord;
  readonly failing?: readonly string[];
  readonly knownFailure?: true;
  readonly reason?: string;
}

/**
 * Returns the verdict of a gate by its command, its reports and the same gate on the base.
 *
 * The reports never make a gate pass whose command failed, except for failures that are known from the base.
 */
export function weighed(
  gate: GateConfig, result: JobResult, report: ReadReport | undefined, base: BaseGate | undefined, isTolerant: boolean,
): Weighed {
  const verdict = result.verdict!;
  const isFailure = verdict === VERDICTS.FAILED;
  if (verdict !== VERDICTS.PASSED && !isFailure) return { verdict };
  const isRedOnBase = isTolerant && base?.verdict === VERDICTS.FAILED;
  if (report === undefined) {
    const isSame = isRedOnBase && isFailure && base.exitCode === result.exitCode && base.failure === fingerprint(gate.name, verdict, result, []);
    return isSame ? { verdict: VERDICTS.PASSED, knownFailure: true } : { verdict };
  }
  if (report.results === undefined) return { verdict: VERDICTS.FAILED, reason: report.fault };
  const { results } = report;
  const [fresh, known] = apart(results.failing.map(({ name }: { readonly name: string }) => name), isRedOnBase ? base.known ?? '' : '');
  const ran = results.tests - results.skipped;
  const ranBefore = base?.tests?.ran;
  const hasFewer = ranBefore !== undefined && ran < ranBefore;
  const failing = [...fresh, ...known];
  const tests = {
    ran,
    failed: results.failed,
    skipped: results.skipped,
    ...defined({
      ranBefore, knownFailures: known.length || undefined, failing: brief({ names: failing, count: failing.length }, LOOP_LIMITS.recordedTests),
    }),
  };
  const minTests = gate.minTests ?? 1;
  const reason = fresh.length > 0 && !isFailure ? `the command passed, but ${counted(fresh.length, 'test')} failed according to its report`
    : ran < minTests ? `${counted(ran, 'test')} ran, and at least ${minTests} must`
      : gate.failOnFewerTests && hasFewer ? `${counted(ran, 'test')} ran, and ${ranBefore} ran without the change`
        // A runner that dies, or cannot load a file, leaves tests out of its report, and its exit code is that of the known failures.
        : isRedOnBase && isFailure && fresh.length === 0 && hasFewer ? `the command failed, and ${counted(ran, 'test')} of ${ranBefore} on the base ran`
          : undefined;
  const isKnown = known.length > 0 && fresh.length === 0 && results.failed === known.length && (!isFailure || base?.exitCode === result.exitCode);
  if (reason !== undefined) return { verdict: VERDICTS.FAILED, tests, failing, reason };
  if (isKnown) return { verdict: VERDICTS.PASSED, tests, failing, knownFailure: true };
  return { verdict, tests, ...defined({ failing: failing.length > 0 ? failing : undefined }) };
}


/** Divides names of failing tests into those that do not fail on the base, and those that do. Tests of the same name count one by one. */
function apart(names: readonly string[], known: string): [fresh: string[], known: string[]] {
  const size = LOOP_LIMITS.shortName;
  const left = new Map<string, number>();
  for (let at = 0; at < known.length; at += size) left.set(known.slice(at, at + size), (left.get(known.slice(at, at + size)) ?? 0) + 1);
  const [fresh, others]: [string[], string[]] = [[], []];
  for (const name of names) {
    const short = shortNameOf(name);
    const rest = left.get(short) ?? 0;
    left.set(short, rest - 1);
    (rest > 0 ? others : fresh).push(name);
  }
  return [fresh, others];
}

interface Changes {
  readonly changed: string[];
  readonly left?: NameList;
}

/**
 * Returns the files that differ from the recorded tree, and the new files that were moved out of the clone.
 *
 * Restores what a gate changed, and moves away what it left, unless the agent left processes behind: then anybody may have written the files, and
 * they stay for the next record. Without `passed`, it compares before the commit and not after a gate.
 */
export async function changesSince(request: StepRequest, tools: StepTools, label: string, passed?: boolean): Promise<Changes> {
  const { loop } = request.state;
  const { tree, changed, left } = await inWorkspace(request, tools, 'verify', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_TREE: loop.tree ?? '',
    WB_BASE: loop.base,
    WB_GATE: passed === undefined ? 'no' : 'yes',
    WB_PASSED: passed === true ? 'yes' : 'no',
    WB_LEFT: `${leftDirectoryOf(loop)}-${label}`,
  }, { label });
  return { changed: tree !== loop.tree && changed.count === 0 ? ['(git does not say which)'] : named(changed), left: brief(left) };
}

export function count(request: StepRequest, tools: StepTools, verdict: string): void {
  tools.measure(LOOP_METRICS.names.GATES, 1, 'Count', {
    [LOOP_METRICS.dimension]: request.config.name,
    [LOOP_METRICS.verdictDimension]: verdict,
  });
}
