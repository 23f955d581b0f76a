import { createHash } from 'crypto';
import { LOOP_LIMITS, NEXT } from './constants';
import { fingerprint } from './fingerprint';
import type { GateConfig, Judgement } from './judge';
import type { OnlyInWorkspace } from './records';
import { defined } from './results';
import { failedBefore, LoopState } from './state';
import { VERDICTS } from '../../jobs/constants';

/** Functions for what did not pass. A file of its own, which only runs with such a gate, or with a failure, load. */

export { repairPrompt } from './repair-prompt';
export { causeOf, failureOfRun } from './run-failure';
export { settled } from './settle';

/** A gate that did not pass. */
interface Red {
  readonly gate: Pick<GateConfig, 'name' | 'command'>;
  readonly maxRepairs: number;
  readonly judgement: Pick<Judgement, 'verdict' | 'result' | 'changedFiles' | 'failing' | 'reason'> & { readonly record?: Judgement['record'] };
  /** True if the gate had passed in the agent's workspace, and failed in the clean checkout of a verification. */
  readonly cleanCheckout?: true;
  readonly onlyInWorkspace?: OnlyInWorkspace;
}

/** Returns the state after a gate that did not pass: another turn with feedback, or the end of the run. */
export function red({ gate, maxRepairs, judgement, cleanCheckout, onlyInWorkspace }: Red, loop: LoopState): LoopState {
  const { verdict, result, changedFiles, failing, reason, record } = judgement;
  const failure = failureOf(cleanCheckout ? `${gate.name} in a clean checkout` : gate.name, judgement);
  const feedback = {
    gate: gate.name,
    command: gate.command.slice(0, 1_000),
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
      cleanCheckout,
      onlyInWorkspace,
      reason,
      tests: record?.tests,
      failingTests: failing === undefined ? undefined : bounded(failing),
    }),
  };
  // A program that is in the workspace and not in a clean checkout is missing from the change.
  const next = verdict === VERDICTS.INERT && !cleanCheckout ? NEXT.INERT
    : loop.round >= maxRepairs ? NEXT.RED
      : failedBefore(loop, gate.name) || failure === loop.lastFailure ? NEXT.STUCK
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

/** Identifies a failure: by the tests that fail, if a report names them, else by the output. */
export function failureOf(name: string, { verdict, result, changedFiles, failing }: Red['judgement']): string {
  if (failing === undefined) return fingerprint(name, verdict, result, changedFiles);
  return createHash('sha256').update(JSON.stringify([name, verdict, [...failing].sort(), changedFiles])).digest('hex').slice(0, 16);
}

/** Returns as many names as fit: at least one, because no path is longer than the limit. */
function bounded(names: readonly string[]): string[] {
  const lengths = names.map((_, index) => names.slice(0, index + 1).join('').length);
  return names.filter((_, index) => lengths[index] <= LOOP_LIMITS.changedFilesLength).slice(0, 50);
}
