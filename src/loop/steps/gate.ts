import { LOOP_ERRORS, LOOP_LIMITS, LOOP_METRICS, NEXT } from './constants';
import { fingerprint } from './failure';
import { jsonBytes } from './input';
import { timeOf } from './job-names';
import { GateBefore, GateRecord, LoopError, LoopRecord } from './records';
import { brief, defined, named, NameList } from './results';
import { inWorkspace, runStepJob, settled, StepRequest, stillRunning, StepTools, strictly } from './step';
import { STATUSES, VERDICTS } from '../../jobs/constants';
import { JobResult, Verdict } from '../../jobs/job';

export interface GateRequest extends StepRequest {
  readonly gate: {
    readonly name: string;
    readonly command: string;
    readonly timeoutSeconds: number;
    readonly workingDirectory?: string;
    readonly environment?: { readonly [name: string]: string };
    readonly failFast?: readonly string[];
    /** @default true */
    readonly pipefail?: boolean;
  };
  readonly maxRepairs: number;
  /** Whether it is the last one of a loop whose gates run before the first turn too. */
  readonly lastBefore?: boolean;
}

/**
 * Runs one gate on the recorded tree, and decides where the run goes on.
 *
 * `PASSED` only if the command passed and the files still are that tree; everything else is a repair, the end, or, for a
 * microVM that was lost, another look.
 */
export async function gate(request: GateRequest, tools: StepTools): Promise<LoopRecord> {
  const { run } = request.state;
  const loop = settled(request.state.loop);
  const { gate: config } = request;
  const result = await runStepJob(request, tools, {
    name: `gate ${config.name}`,
    command: config.command,
    timeoutSeconds: config.timeoutSeconds,
    workingDirectory: config.workingDirectory === undefined ? run.clone : `${run.clone}/${config.workingDirectory}`,
    environment: config.environment,
    failFast: config.failFast,
    prologue: strictly(config.pipefail),
    // A state holds 256 KiB, and the prompt may need most of it.
    tailBytes: jsonBytes(request.state.prompt) > LOOP_LIMITS.promptBytes / 2 ? LOOP_LIMITS.feedbackBytes / 4 : LOOP_LIMITS.feedbackBytes,
  });
  if (result.status === STATUSES.RUNNING) return stillRunning(request, result);
  if (loop.baseline) return noted(request, loop, result, tools);
  if (result.verdict === VERDICTS.LOST) {
    count(request, tools, VERDICTS.LOST);
    if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the gate "${config.name}" was lost ${loop.losses + 1} times (${result.lostReason})`);
    return { ...loop, losses: loop.losses + 1, next: NEXT.AGAIN };
  }
  const passed = result.verdict === VERDICTS.PASSED;
  const since = result.verdict === VERDICTS.INERT ? { changed: [] } : await changesSince(request, tools, config.name, passed);
  const { changed: changedFiles, left } = since;
  const verdict = passed && changedFiles.length > 0 ? VERDICTS.FAILED : result.verdict!;
  count(request, tools, verdict);
  const { exitCode, seconds, logPath } = result;
  const flaky = verdict === VERDICTS.PASSED && failedBefore(loop, config.name) ? true : undefined;
  const said: GateRecord = { name: config.name, verdict, exitCode, seconds, logPath };
  // Where nothing has changed, this is what it says of what the run began on.
  const before = loop.unchanged && loop.base === run.base ? withBefore(loop, said) : loop.before;
  const known = before?.find(({ name }) => name === config.name);
  const greenBefore = known && known.verdict === VERDICTS.PASSED;
  const seen = { ...loop, ...defined({ before }), gates: [...loop.gates, { ...said, ...defined({ left, flaky, greenBefore }) }] };
  if (verdict === VERDICTS.PASSED) return { ...seen, next: NEXT.PASSED };
  return red(request, seen, verdict, result, changedFiles);
}

/** Before the first turn: whatever the gate says, the run goes on. One that is lost is not run again: nothing is known of it. */
async function noted(request: GateRequest, loop: LoopRecord, result: JobResult, tools: StepTools): Promise<LoopRecord> {
  const { gate: { name }, lastBefore } = request;
  const { exitCode, seconds, logPath } = result;
  // As if it had not passed: what is hidden from it comes back for the agent.
  const { changed } = await changesSince(request, tools, name, false);
  const verdict = result.verdict === VERDICTS.PASSED && changed.length > 0 ? VERDICTS.FAILED : result.verdict!;
  const before = verdict === VERDICTS.LOST ? loop.before : withBefore(loop, { name, verdict, exitCode, seconds, logPath });
  if (!lastBefore) return { ...loop, before, next: NEXT.PASSED };
  const { baseline: _, tree: __, ...first } = loop;
  return { ...first, before, next: NEXT.BEGIN };
}

/** With as little of the others as is needed: a state has no room for more. */
function withBefore({ before = [] }: LoopRecord, said: GateRecord): GateBefore[] {
  return [...before.filter(({ name }) => name !== said.name).map(({ name, verdict }) => ({ name, verdict })), said];
}

interface Changes {
  readonly changed: string[];
  readonly left?: NameList;
}

/**
 * The files that are not as they were recorded, and those that were moved out of the clone since git does not have them.
 *
 * What a gate changed is put back, and what it left moved away, unless the agent has left processes behind: then nobody knows who wrote
 * it, and it stays for the next record. Without `passed` it is not after a gate, but before the commit.
 */
export async function changesSince(request: StepRequest, tools: StepTools, label: string, passed?: boolean): Promise<Changes> {
  const { loop } = request.state;
  const { tree, changed, left } = await inWorkspace(request, tools, 'verify', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_TREE: loop.tree ?? '',
    WB_BASE: loop.base,
    WB_GATE: passed === undefined ? 'no' : 'yes',
    WB_PASSED: passed === true ? 'yes' : 'no',
    WB_LEFT: `${timeOf(loop)}-${loop.baseline ? label : loop.gates.length}`,
  }, { label });
  return { changed: tree !== loop.tree && changed.count === 0 ? ['(git does not say which)'] : named(changed), left: brief(left) };
}

/** Whether the gate has failed on the same tree in the round before: it was run again, since it may be flaky. */
function failedBefore(loop: LoopRecord, name: string): boolean {
  return loop.tree === loop.lastTree && loop.feedback?.gate === name;
}

function red(request: GateRequest, loop: LoopRecord, verdict: Verdict, result: JobResult, changedFiles: string[]): LoopRecord {
  const { gate: config, maxRepairs } = request;
  const failure = fingerprint(config.name, verdict, result, changedFiles);
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
    }),
  };
  const next = verdict === VERDICTS.INERT ? NEXT.INERT
    : loop.round >= maxRepairs ? NEXT.RED
      : failedBefore(loop, config.name) || failure === loop.lastFailure ? NEXT.STUCK
        : NEXT.REPAIR;
  return {
    ...loop,
    next,
    feedback,
    lastTree: loop.tree,
    // What fails without a change says nothing of the first change.
    lastFailure: loop.unchanged ? undefined : failure,
    round: next === NEXT.REPAIR ? loop.round + 1 : loop.round,
  };
}

/** As many names as fit; at least one, since no path is longer. */
function bounded(files: readonly string[]): string[] {
  const lengths = files.map((_, index) => files.slice(0, index + 1).join('').length);
  return files.filter((_, index) => lengths[index] <= LOOP_LIMITS.changedFilesLength).slice(0, 50);
}

function count(request: GateRequest, tools: StepTools, verdict: string): void {
  tools.measure(LOOP_METRICS.names.GATES, 1, 'Count', {
    [LOOP_METRICS.dimension]: request.config.name,
    [LOOP_METRICS.verdictDimension]: verdict,
  });
}
