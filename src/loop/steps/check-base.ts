import { addressOf, freshAt, inVerification, runThere, VerifyRequest } from './clean-checkout';
import { BOOTSTRAP_ENDED, LOOP_ERRORS, LOOP_LIMITS, NEXT, VERIFICATION } from './constants';
import { LoopError } from './errors';
import { isGreen } from './gate';
import { BaseGate } from './records';
import { defined } from './results';
import { LoopState, VerificationState } from './state';
import { inWorkspace, settled, stillRunning, StepTools } from './step';
import { again } from './verify';
import { stopSession } from '../../jobs/stop-session';

/**
 * Runs the gates on what the run starts from, in a clean checkout, before the first turn.
 *
 * Without a baseline, a gate that does not pass ends the run: no change of the agent could be judged by it. With one, the failures are known.
 */
export function checkBase(request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  return again(request, tools, checkAt);
}

async function checkAt(place: VerificationState, request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  const loop = settled(request.state.loop);
  const there = inVerification(request, place.attempt);
  let verification = place;
  if (verification.base === undefined) {
    const wanted = loop.upstream?.base ?? loop.base;
    const fresh = await freshAt(there, request, tools, [wanted], 'no');
    const separate = fresh.separate !== undefined;
    const have = fresh.have.split(' ');
    // A base that is not at the remote was made in this workspace, from what is there.
    const commit = have.includes(wanted) ? wanted : have[have.length - 1];
    const { tree } = await inWorkspace(there, tools, 'receive', LOOP_ERRORS.VERIFICATION_FAILED, {
      WB_BASE: commit,
      WB_MERGES: '',
      WB_JUDGING: '',
      WB_PROTECTED: '',
      WB_TREE: '',
      WB_COMMIT: commit,
      WB_PACK: '',
      WB_PIECES: 0,
      WB_TIP: '',
      WB_USER: separate ? VERIFICATION.user : '',
      WB_HISTORY: request.config.history === true ? 'yes' : 'no',
      WB_SUBMODULES: request.config.submodules === true ? 'yes' : 'no',
    });
    verification = { ...verification, separate, base: { commit, tree } };
  }
  const { base } = verification;
  const on = { ...there, state: { ...there.state, loop: { ...loop, base: base!.commit, tree: base!.tree } } };
  const course = await runThere(verification, on, tools, true);
  if (course.kind === 'LATER') return { ...loop, verification: course.verification, next: NEXT.RUNNING };
  if (course.kind === 'RUNNING') {
    return { ...stillRunning({ ...request, state: { ...request.state, loop } }, course.result), verification: course.verification };
  }
  const { attempt, isProbed, asContainerUser, separate } = course.verification;
  const over = { attempt, gates: [], isOver: true, ...defined({ asContainerUser, separate }), isProbed: separate || isProbed };
  if (course.kind === 'BOOTSTRAP_FAILED') {
    if (separate && request.config.verification!.separateUser !== 'always') {
      // Only what is at the remote has run here: the bootstrap needs the rights of the container's user.
      return { ...loop, verification: { ...over, asContainerUser: true }, next: NEXT.RUNNING };
    }
    const { verdict, exitCode, tail } = course.result;
    throw new LoopError(LOOP_ERRORS.BOOTSTRAP_FAILED, `${BOOTSTRAP_ENDED}${verdict}, exit code ${exitCode}, in a clean checkout of ${base!.commit.slice(0, 12)}`, `\n${tail.slice(-4_000)}`);
  }
  const gates = course.verification.gates as readonly BaseGate[];
  checked(gates, base!.commit, request);
  // The last step stops it again, and reports what it could not stop.
  await stopSession(tools.client, addressOf(there), tools.clock, tools.backoffSeconds).catch(() => undefined);
  return { ...loop, baseCheck: { commit: base!.commit, gates }, verification: over, next: NEXT.GO_ON };
}

/** Throws if the run cannot go on with these results. */
function checked(gates: readonly BaseGate[], commit: string, { config }: VerifyRequest): void {
  const reds = gates.filter((gate) => !isGreen(gate));
  if (!config.knownFailures && reds.length > 0) {
    const [{ name, verdict, exitCode, reason, tests }] = reds;
    const more = [...(reason === undefined ? [] : [reason]), ...(tests?.failing === undefined ? [] : [`failing tests: ${tests.failing.names.join(', ')}`])];
    throw new LoopError(LOOP_ERRORS.BASE_RED, `the gate "${name}" does not pass on ${commit.slice(0, 12)}, before the agent begins: ${verdict}, exit code ${exitCode}`, more.join('; ').slice(0, 2_000));
  }
  const known = gates.reduce((sum, gate) => sum + (gate.known?.length ?? 0), 0) / LOOP_LIMITS.shortName;
  if (known > LOOP_LIMITS.knownFailures) {
    throw new LoopError(LOOP_ERRORS.BASE_RED, `${known} tests fail on ${commit.slice(0, 12)}, and a baseline holds at most ${LOOP_LIMITS.knownFailures}`);
  }
}
