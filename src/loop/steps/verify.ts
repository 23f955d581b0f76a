import { afterFailure } from './after-failure';
import { rebased } from './branch';
import { carry } from './change-pack';
import { addressOf, commandsOf, freshAt, inVerification, isLate, isLoss, placeOf, runThere, throwIfLost, VerifyRequest } from './clean-checkout';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT } from './constants';
import { onlyInWorkspace } from './differences';
import { LoopError } from './errors';
import { runBootstrap } from './prepare';
import { defined } from './results';
import { isVerified } from './run-record';
import { LoopState, VerificationState } from './state';
import { inWorkspace, settled, stillRunning, StepTools } from './step';
import { STATUSES, VERDICTS } from '../../jobs/constants';
import { stopSession } from '../../jobs/stop-session';

/**
 * Verifies the recorded tree in a new session, separate from the agent's: a clone of what is at the remote, the change, the bootstrap and the gates.
 *
 * A gate that fails there leads to a repair. A session that loses its microVM has lost its workspace too: the verification starts again in another
 * one. A tree that has passed, or failed, is not verified again.
 */
export async function verify(request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  const { loop } = request.state;
  if (loop.unchanged || isVerified(loop)) return { ...settled(loop), next: NEXT.GO_ON };
  if (loop.feedback?.cleanCheckout && loop.lastTree === loop.tree) {
    return { ...settled(loop), next: loop.round < request.maxRepairs ? NEXT.STUCK : NEXT.RED };
  }
  return again(request, tools, verifyAt);
}

/** Does a part of what a clean checkout is for. It starts again in another session if the microVM of this one is lost. */
export async function again(
  request: VerifyRequest, tools: StepTools, work: (place: VerificationState, request: VerifyRequest, tools: StepTools) => Promise<LoopState>,
): Promise<LoopState> {
  const { loop } = request.state;
  const place = placeOf(request);
  try {
    return await work(place, request, tools);
  } catch (error) {
    if (!isLoss(error)) throw error;
    if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the session of a verification was lost ${loop.losses + 1} times`);
    const { attempt, doubt, isProbed, asContainerUser } = place;
    const verification = { attempt, gates: [], isOver: true, doubt, isProbed, asContainerUser };
    return { ...settled(loop), losses: loop.losses + 1, verification, next: NEXT.RUNNING };
  }
}

async function verifyAt(place: VerificationState, request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  if (place.doubt !== undefined) return probe(place, place.doubt, request, tools);
  const loop = settled(request.state.loop);
  const there = inVerification(request, place.attempt);
  let verification = place;
  if (!verification.isThere) {
    const fresh = await freshAt(there, request, tools, parentsOf(loop), 'no');
    const have = fresh.have.split(' ');
    const missing = request.config.push ? parentsOf(loop).filter((id) => !have.includes(id)) : [];
    // A commit whose parents are not at the remote could only be made where the agent is.
    if (missing.length > 1 || (missing.length === 1 && !await remade(missing[0], request, there, tools))) {
      return rebased(request, tools, { ...loop, verification: { ...verification, isOver: true } }, loop.tree!);
    }
    const separate = fresh.separate !== undefined;
    const carried = await carry(request, there, tools, [...missing, ...have].join(' '), separate);
    verification = { ...verification, ...carried, separate, isThere: true };
    if (isLate(tools)) return { ...loop, verification, next: NEXT.RUNNING };
  }
  const course = await runThere(verification, there, tools);
  switch (course.kind) {
    case 'LATER': return { ...loop, verification: course.verification, next: NEXT.RUNNING };
    case 'RUNNING': return { ...stillRunning({ ...request, state: { ...request.state, loop } }, course.result), verification: course.verification };
    case 'ENDED': return { ...loop, verification: { ...course.verification, passed: { tree: loop.tree!, base: loop.base } }, next: NEXT.GO_ON };
    default: break;
  }
  const isBootstrap = course.kind === 'BOOTSTRAP_FAILED';
  const only = isLate(tools) ? undefined : await onlyInWorkspace(request, commandsOf(there, course.verification), tools, place.attempt, !isBootstrap);
  // The last step stops it again, and reports what it could not stop.
  await stopSession(tools.client, addressOf(there), tools.clock, tools.backoffSeconds).catch(() => undefined);
  const gate = isBootstrap ? { name: 'bootstrap', command: request.bootstrap!.commands.join('\n') } : course.gate;
  const judgement = isBootstrap ? { verdict: course.result.verdict!, result: course.result, changedFiles: [] } : course.judgement;
  const after = {
    ...afterFailure().red({ gate, maxRepairs: request.maxRepairs, judgement, cleanCheckout: true, onlyInWorkspace: only }, loop),
    verification: { ...course.verification, isOver: true },
  };
  if (!isBootstrap || !verification.separate || request.config.verification!.separateUser === 'always' || verification.isProbed) return after;
  return { ...loop, verification: { attempt: place.attempt, gates: [], isOver: true, doubt: redOf(after) }, next: NEXT.RUNNING };
}

/** Returns the part of a state that changes when a gate has failed. */
function redOf({ next, feedback, lastTree, lastFailure, round }: LoopState): NonNullable<VerificationState['doubt']> {
  return { next, round, ...defined({ feedback, lastTree, lastFailure }) };
}

/**
 * Finds out whether a bootstrap failed because of the user that it ran as: then it also fails as that user without the change, on what is at the
 * remote. No code of the change runs here, so that it cannot get more rights by failing.
 *
 * @param doubt the state of the run if the change is to blame
 */
async function probe(place: VerificationState, doubt: NonNullable<VerificationState['doubt']>, request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  const loop = settled(request.state.loop);
  const there = inVerification(request, place.attempt);
  if (!place.isThere) await freshAt(there, request, tools, [], 'yes');
  const how = commandsOf(there, { ...place, separate: true });
  const result = await runBootstrap({ ...how.request, ...request.bootstrap! }, tools, how.job);
  if (result.status === STATUSES.RUNNING) {
    return { ...stillRunning({ ...request, state: { ...request.state, loop } }, result), verification: { ...place, isThere: true } };
  }
  throwIfLost(result);
  await stopSession(tools.client, addressOf(there), tools.clock, tools.backoffSeconds).catch(() => undefined);
  const over = { attempt: place.attempt, gates: [], isOver: true, isProbed: true };
  if (result.verdict === VERDICTS.PASSED) return { ...loop, ...doubt, verification: { ...over, separate: true } };
  return { ...loop, verification: { ...over, asContainerUser: true }, next: NEXT.RUNNING };
}

/** Returns the parents of the run's commit. */
function parentsOf({ base, merges = [] }: LoopState): string[] {
  return [base, ...merges];
}

/** Makes a commit again, in the session of the verification, with which a run has updated its branch. Returns false if it is no such commit. */
async function remade(id: string, request: VerifyRequest, there: VerifyRequest, tools: StepTools): Promise<boolean> {
  const label = there.state.run.session.id.slice(0, 16);
  const { made } = await inWorkspace(request, tools, 'made', LOOP_ERRORS.VERIFICATION_FAILED, { WB_BASE: id }, { label });
  if (made === undefined || !/^(?:[0-9a-f]{40,64} ){3}\d{1,12}$/.test(made)) return false;
  const { commit } = await inWorkspace(there, tools, 'remake', LOOP_ERRORS.VERIFICATION_FAILED, { WB_MADE: made });
  return commit === id;
}
