import { createHash } from 'crypto';
import { LOOP_ERRORS, LOOP_LIMITS, LOOP_METRICS, NEXT, leftDirectoryOf } from './constants';
import { jsonBytes } from './input';
import { GateBefore, GateRecord, LoopError } from './records';
import { brief, defined, named, NameList } from './results';
import { LoopState } from './state';
import { inWorkspace, runStepJob, settled, StepJob, StepRequest, stillRunning, StepTools, strictly } from './step';
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
}

export interface GateRequest extends StepRequest {
  readonly gate: GateConfig;
  readonly maxRepairs: number;
  /** True for the last gate of a loop whose gates also run before the first turn. */
  readonly lastBefore?: boolean;
}

/**
 * Runs one gate on the recorded tree, and decides where the run continues.
 *
 * `PASSED` needs both: the command passed, and the files still are that tree. Everything else leads to a repair or to the run's end, or, if a
 * microVM was lost, to another try.
 */
export async function gate(request: GateRequest, tools: StepTools): Promise<LoopState> {
  const { run } = request.state;
  const loop = settled(request.state.loop);
  const { gate: config } = request;
  const result = await runGate(request, tools, config);
  if (result.status === STATUSES.RUNNING) return stillRunning(request, result);
  if (loop.baseline) return noted(request, loop, result, tools);
  if (result.verdict === VERDICTS.LOST) {
    count(request, tools, VERDICTS.LOST);
    if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the gate "${config.name}" was lost ${loop.losses + 1} times (${result.lostReason})`);
    return { ...loop, losses: loop.losses + 1, next: NEXT.AGAIN };
  }
  const { verdict, changedFiles, left } = await judged(request, tools, config.name, result);
  const { exitCode, seconds, logPath } = result;
  const flaky = verdict === VERDICTS.PASSED && failedBefore(loop, config.name) ? true : undefined;
  const said: GateRecord = { name: config.name, verdict, exitCode, seconds, logPath };
  // If nothing has changed, this is the gate's result on the files that the run started from.
  const before = loop.unchanged && loop.base === run.base ? withBefore(loop, said) : loop.before;
  const known = before?.find(({ name }) => name === config.name);
  const greenBefore = known && known.verdict === VERDICTS.PASSED;
  const seen = { ...loop, ...defined({ before }), gates: [...loop.gates, { ...said, ...defined({ left, flaky, greenBefore }) }] };
  if (verdict === VERDICTS.PASSED) return { ...seen, next: NEXT.PASSED };
  return red(request, seen, verdict, result, changedFiles);
}

/** Runs the command of a gate in the clone. */
export function runGate(request: StepRequest, tools: StepTools, config: GateConfig, how: Partial<StepJob> = {}): Promise<JobResult> {
  const { clone } = request.state.run;
  return runStepJob(request, tools, {
    name: `gate ${config.name}`,
    command: config.command,
    timeoutSeconds: config.timeoutSeconds,
    workingDirectory: config.workingDirectory === undefined ? clone : `${clone}/${config.workingDirectory}`,
    environment: config.environment,
    failFast: config.failFast,
    prologue: strictly(config.pipefail),
    // A state holds 256 KiB, most of which the prompt may need.
    tailBytes: jsonBytes(request.state.prompt) > LOOP_LIMITS.promptBytes / 2 ? LOOP_LIMITS.feedbackBytes / 4 : LOOP_LIMITS.feedbackBytes,
    ...how,
  });
}

/** Returns the verdict of a gate whose command has ended: a command that changed the files has not passed. */
export async function judged(
  request: StepRequest, tools: StepTools, label: string, result: JobResult,
): Promise<{ readonly verdict: Verdict; readonly changedFiles: string[]; readonly left?: NameList }> {
  const passed = result.verdict === VERDICTS.PASSED;
  const since = result.verdict === VERDICTS.INERT ? { changed: [] } : await changesSince(request, tools, label, passed);
  const { changed: changedFiles, left } = since;
  const verdict = passed && changedFiles.length > 0 ? VERDICTS.FAILED : result.verdict!;
  count(request, tools, verdict);
  return { verdict, changedFiles, left };
}

/** Notes the result of a gate before the first turn, and goes on in any case. A gate that is lost is not repeated: its result stays unknown. */
async function noted(request: GateRequest, loop: LoopState, result: JobResult, tools: StepTools): Promise<LoopState> {
  const { gate: { name }, lastBefore } = request;
  const { exitCode, seconds, logPath } = result;
  // As if the gate had not passed: the agent gets back what was hidden from the gates.
  const { changed } = await changesSince(request, tools, name, false);
  const verdict = result.verdict === VERDICTS.PASSED && changed.length > 0 ? VERDICTS.FAILED : result.verdict!;
  const before = verdict === VERDICTS.LOST ? loop.before : withBefore(loop, { name, verdict, exitCode, seconds, logPath });
  if (!lastBefore) return { ...loop, before, next: NEXT.PASSED };
  const { baseline: _, tree: __, ...first } = loop;
  return { ...first, before, next: NEXT.BEGIN };
}

/** Adds a result, and shortens the others: a state has no room for more. */
function withBefore({ before = [] }: LoopState, said: GateRecord): GateBefore[] {
  return [...before.filter(({ name }) => name !== said.name).map(({ name, verdict }) => ({ name, verdict })), said];
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
    WB_LEFT: `${leftDirectoryOf(loop)}-${loop.baseline ? label : loop.gates.length}`,
  }, { label });
  return { changed: tree !== loop.tree && changed.count === 0 ? ['(git does not say which)'] : named(changed), left: brief(left) };
}

/** Determines whether the gate failed on the same tree in the round before: it was repeated, because it may be flaky. */
function failedBefore(loop: LoopState, name: string): boolean {
  return loop.tree === loop.lastTree && loop.feedback?.gate === name && !loop.feedback.cleanCheckout;
}

/**
 * Returns the state after a gate that did not pass: another turn with feedback, or the end of the run.
 *
 * @param cleanCheckout true if the gate had passed in the agent's workspace, and failed in the clean checkout of a verification
 */
export function red(
  { gate: config, maxRepairs }: Pick<GateRequest, 'gate' | 'maxRepairs'>, loop: LoopState, verdict: Verdict, result: JobResult, changedFiles: string[], cleanCheckout = false,
): LoopState {
  const failure = fingerprint(cleanCheckout ? `${config.name} in a clean checkout` : config.name, verdict, result, changedFiles);
  const feedback = {
    gate: config.name,
    command: config.command.slice(0, 1_000),
    verdict,
    exitCode: result.exitCode,
    output: result.tail,
    logPath: result.logPath,
    repair: loop.round + 1,
    maxRepairs,
    ...defined({
      unchanged: loop.unchanged ? true : undefined,
      changedFiles: changedFiles.length === 0 ? undefined : bounded(changedFiles),
      findings: loop.findings,
      cleanCheckout: cleanCheckout ? true : undefined,
    }),
  };
  // A program that is in the workspace and not in a clean checkout is missing from the change.
  const next = verdict === VERDICTS.INERT && !cleanCheckout ? NEXT.INERT
    : loop.round >= maxRepairs ? NEXT.RED
      : failedBefore(loop, config.name) || failure === loop.lastFailure ? NEXT.STUCK
        : NEXT.REPAIR;
  return {
    ...loop,
    next,
    feedback,
    lastTree: loop.tree,
    // A failure without a change says nothing about the first change.
    lastFailure: loop.unchanged ? undefined : failure,
    round: next === NEXT.REPAIR ? loop.round + 1 : loop.round,
  };
}

/** Returns as many names as fit: at least one, because no path is longer than the limit. */
function bounded(files: readonly string[]): string[] {
  const lengths = files.map((_, index) => files.slice(0, index + 1).join('').length);
  return files.filter((_, index) => lengths[index] <= LOOP_LIMITS.changedFilesLength).slice(0, 50);
}

function count(request: StepRequest, tools: StepTools, verdict: string): void {
  tools.measure(LOOP_METRICS.names.GATES, 1, 'Count', {
    [LOOP_METRICS.dimension]: request.config.name,
    [LOOP_METRICS.verdictDimension]: verdict,
  });
}

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
