import { mergesOf, rebased } from './branch';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT, PROTECTED_ACTIONS, VERIFICATION } from './constants';
import { GateConfig, judged, red, runGate } from './gate';
import { runBootstrap } from './prepare';
import { GateRecord, LoopError } from './records';
import { defined, named } from './results';
import { isVerified } from './run-record';
import { verificationSession } from './sessions';
import { LoopState, VerificationState } from './state';
import { inWorkspace, judgingVariables, ProtectConfig, runStepJob, settled, StepJob, StepRequest, StepTools, stillRunning } from './step';
import { piecesOf } from './turn';
import { ERRORS, LIMITS, RECORDS_FOLDER, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { cachesBelow, JobResult, Verdict } from '../../jobs/job';
import { stopSession } from '../../jobs/stop-session';
import { quoteWord } from '../../private/quote';

export interface VerifyRequest extends StepRequest {
  readonly bootstrap?: { readonly commands: readonly string[]; readonly timeoutSeconds: number };
  readonly gates: readonly GateConfig[];
  readonly maxRepairs: number;
  readonly protect?: ProtectConfig;
}

/** The time that a call of the driver must have left to begin with another part, in milliseconds. */
const ENOUGH_TIME = 120_000;

/** The maximum size of a pack that travels with the script that unpacks it, in bytes. */
const SMALL_PACK = 12_000;

/** The number of pieces of a pack that are sent at once. */
const PIECES_AT_ONCE = 4;

/**
 * Verifies the recorded tree in a session that the agent never was in: a clone of what is at the remote, the change, the bootstrap and the gates.
 *
 * A gate that fails there leads to a repair. A session that loses its microVM has lost its workspace too: the verification starts again in another
 * one. A tree that has passed, or failed, is not verified again.
 */
export async function verify(request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  const { loop } = request.state;
  const { attempts } = request.config.verification!;
  if (loop.unchanged || isVerified(loop)) return { ...settled(loop), next: NEXT.GO_ON };
  if (loop.feedback?.cleanCheckout && loop.lastTree === loop.tree) {
    return { ...settled(loop), next: loop.round < request.maxRepairs ? NEXT.STUCK : NEXT.RED };
  }
  const last = loop.verification;
  const isUnderWay = last !== undefined && !last.isOver && last.passed === undefined;
  const place = isUnderWay ? last : nextAfter(last);
  if (place.attempt > attempts) throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, `no verification was completed in ${attempts} sessions`);
  try {
    return await verifyAt(place, request, tools);
  } catch (error) {
    if (!isLoss(error)) throw error;
    if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the session of a verification was lost ${loop.losses + 1} times`);
    const { attempt, doubt, isProbed, asContainerUser } = place;
    const verification = { attempt, gates: [], isOver: true, doubt, isProbed, asContainerUser };
    return { ...settled(loop), losses: loop.losses + 1, verification, next: NEXT.RUNNING };
  }
}

/** Returns the place of the next verification, in a session of its own. */
function nextAfter(last: VerificationState | undefined): VerificationState {
  const { attempt = 0, doubt, isProbed, asContainerUser } = last ?? {};
  return { attempt: attempt + 1, gates: [], ...defined({ doubt, isProbed, asContainerUser }) };
}

/** Determines whether an error says that the microVM of a verification is gone: its workspace is on ephemeral disk, and ends with it. */
export function isLoss(error: unknown): boolean {
  return error instanceof LoopError && (error.name === LOOP_ERRORS.WORKSPACE_LOST || error.name === LOOP_ERRORS.LOST);
}

/** Returns a request for the session of a verification. */
export function inVerification<T extends StepRequest>(request: T, attempt: number): T {
  const { run } = request.state;
  const { runtimeArn, endpointName } = request.config.verification!;
  const session = verificationSession(request.execution, runtimeArn === undefined ? run.session.endpointName : endpointName, attempt);
  const { mount } = VERIFICATION;
  return {
    ...request,
    runtimeArn: runtimeArn ?? request.runtimeArn,
    state: { ...request.state, run: { ...run, session, mount, clone: `${mount}/repo` } },
  };
}

async function verifyAt(place: VerificationState, request: VerifyRequest, tools: StepTools): Promise<LoopState> {
  if (place.doubt !== undefined) return probe(place, place.doubt, request, tools);
  const loop = settled(request.state.loop);
  const there = inVerification(request, place.attempt);
  const isLate = () => tools.until - tools.clock.now() < ENOUGH_TIME;
  let verification = place;
  const later = (): LoopState => ({ ...loop, verification, next: NEXT.RUNNING });
  const waiting = (result: JobResult): LoopState => ({ ...stillRunning({ ...request, state: { ...request.state, loop } }, result), verification });
  const failed = async (gate: GateConfig, result: JobResult, verdict: Verdict, changedFiles: string[]): Promise<LoopState> => {
    // The last step stops it again, and reports what it could not stop.
    await stopSession(tools.client, addressOf(there), tools.clock, tools.backoffSeconds).catch(() => undefined);
    const after = red({ gate, maxRepairs: request.maxRepairs }, loop, verdict, result, changedFiles, true);
    return { ...after, verification: { ...verification, isOver: true } };
  };

  if (!verification.isThere) {
    const fresh = await freshAt(there, request, tools, 'no');
    // A commit whose parents are not at the remote could only be made where the agent is.
    if (request.config.push && parentsOf(loop).some((id) => !fresh.have.split(' ').includes(id))) {
      return rebased(request, tools, { ...loop, verification: { ...verification, isOver: true } }, loop.tree!);
    }
    const separate = fresh.separate !== undefined;
    await carry(request, there, tools, fresh.have, separate);
    verification = { ...verification, separate, isThere: true };
    if (isLate()) return later();
  }
  const how = commandsOf(there, verification);
  if (!verification.isReady && request.bootstrap !== undefined) {
    const { commands, timeoutSeconds } = request.bootstrap;
    const result = await runBootstrap({ ...how.request, commands, timeoutSeconds }, tools, how.job);
    if (result.status === STATUSES.RUNNING) return waiting(result);
    throwIfLost(result);
    if (result.verdict !== VERDICTS.PASSED) {
      const after = await failed({ name: 'bootstrap', command: commands.join('\n'), timeoutSeconds }, result, result.verdict!, []);
      if (!verification.separate || request.config.verification!.separateUser === 'always' || verification.isProbed) return after;
      return { ...loop, verification: { attempt: place.attempt, gates: [], isOver: true, doubt: redOf(after) }, next: NEXT.RUNNING };
    }
    await inWorkspace(how.files, tools, 'bootstrapped', LOOP_ERRORS.VERIFICATION_FAILED, {});
  }
  verification = { ...verification, isReady: true };
  for (const gate of request.gates.slice(verification.gates.length)) {
    if (isLate()) return later();
    const result = await runGate(how.request, tools, gate, how.job);
    if (result.status === STATUSES.RUNNING) return waiting(result);
    throwIfLost(result);
    const { verdict, changedFiles, left } = await judged(how.files, tools, gate.name, result);
    if (verdict !== VERDICTS.PASSED) return failed(gate, result, verdict, changedFiles);
    const { exitCode, seconds, logPath } = result;
    const record: GateRecord = { name: gate.name, verdict, exitCode, seconds, logPath, ...defined({ left }) };
    verification = { ...verification, gates: [...verification.gates, record] };
  }
  return { ...loop, verification: { ...verification, passed: { tree: loop.tree!, base: loop.base } }, next: NEXT.GO_ON };
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
  if (!place.isThere) await freshAt(there, request, tools, 'yes');
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

/** Takes the workspace of a verification: a clone of what is at the remote. */
function freshAt(there: VerifyRequest, request: VerifyRequest, tools: StepTools, give: 'yes' | 'no') {
  const { loop, run } = request.state;
  return inWorkspace(there, tools, 'fresh', LOOP_ERRORS.VERIFICATION_FAILED, {
    WB_DEADLINE: run.deadline,
    WB_REF_OF_INPUT: '',
    WB_WANT: parentsOf(loop).join(' '),
    WB_USER: request.config.verification!.separateUser === 'never' || request.state.loop.verification?.asContainerUser ? '' : VERIFICATION.user,
    WB_GIVE: give,
    WB_LINK: request.config.shared ? '' : run.clone,
  }, { unclaimed: true, first: true });
}

function throwIfLost({ verdict, lostReason }: JobResult): void {
  if (verdict === VERDICTS.LOST) throw new LoopError(LOOP_ERRORS.LOST, `a command of the verification was lost (${lostReason})`);
}

export function addressOf({ runtimeArn, state: { run: { session } } }: StepRequest) {
  return { runtimeArn, qualifier: session.endpointName, sessionId: session.id };
}

interface Commands {
  readonly request: VerifyRequest;
  readonly job: Partial<StepJob>;
  /** The request for what is done with the files after them. */
  readonly files: VerifyRequest;
}

/** Returns how the commands of the user run in a verification: as a user of their own, with a home of its own, where the image can do that. */
function commandsOf(there: VerifyRequest, { separate }: VerificationState): Commands {
  const { mount, user } = VERIFICATION;
  if (!separate) return { request: there, job: {}, files: there };
  const environment = { HOME: `${mount}/home`, USER: 'nobody', LOGNAME: 'nobody', ...cachesBelow(`${mount}/cache`), ...there.config.environment };
  const files = { ...there, state: { ...there.state, run: { ...there.state.run, user } } };
  return { request: { ...there, config: { ...there.config, environment } }, job: { user }, files };
}

/** Brings the recorded tree into the session of the verification, before any of its code runs there. */
async function carry(request: VerifyRequest, there: VerifyRequest, tools: StepTools, have: string, separate: boolean): Promise<void> {
  const { loop } = request.state;
  const { pack, commit, tip } = await packed(request, tools, have, there.state.run.session.id);
  const small = pack.length <= SMALL_PACK;
  const pieces = small ? [] : piecesOf(pack);
  for (let first = 0; first < pieces.length; first += PIECES_AT_ONCE) {
    await Promise.all(pieces.slice(first, first + PIECES_AT_ONCE).map((piece, index) => putPiece(there, tools, piece, first + index)));
  }
  const { tree, protected: touched } = await inWorkspace(there, tools, 'receive', LOOP_ERRORS.VERIFICATION_FAILED, {
    WB_BASE: loop.base,
    WB_MERGES: mergesOf(loop),
    ...judgingVariables(request.protect),
    WB_TREE: loop.tree!,
    WB_COMMIT: commit,
    WB_PACK: small ? pack.toString('base64') : '',
    WB_PIECES: pieces.length,
    WB_TIP: /^[0-9a-f]{40,64}$/.test(tip ?? '') ? tip! : '',
    WB_USER: separate ? VERIFICATION.user : '',
    WB_HISTORY: request.config.history === true ? 'yes' : 'no',
    WB_SUBMODULES: request.config.submodules === true ? 'yes' : 'no',
  });
  if (tree !== loop.tree) throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, `the session of the verification has the tree ${tree}, not ${loop.tree}`);
  if (touched.count > 0 && request.protect?.onChange !== PROTECTED_ACTIONS.REVIEW) {
    // The agent's session said otherwise.
    throw new LoopError(LOOP_ERRORS.PROTECTED_PATHS, 'the recorded files differ from the base in protected files', named(touched).join(', ').slice(0, 2_000));
  }
}

/** Returns the recorded tree as a pack of what the session of the verification lacks. */
async function packed(request: StepRequest, tools: StepTools, have: string, session: string) {
  const { loop, run } = request.state;
  const { packBytes: limit } = request.config.verification!;
  const output: Buffer[] = [];
  const results = await inWorkspace(request, { ...tools, onOutput: (data) => output.push(data) }, 'pack', LOOP_ERRORS.VERIFICATION_FAILED, {
    WB_TREE: loop.tree!,
    WB_HAVE: have,
    WB_DATE: run.startedAt,
    WB_LIMIT: limit,
  }, { label: session.slice(0, 16), logBytes: LIMITS.logBytes.max });
  const all = Buffer.concat(output);
  // The pack is followed by the results.
  const end = all.lastIndexOf('\n@result ');
  const bytes = Number(results.bytes);
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > limit || bytes > end) {
    throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, 'the change could not be read from the session of the agent');
  }
  return { pack: all.subarray(end - bytes, end), commit: results.commit, tip: results.tip };
}

/** Writes a piece of the pack. It is safe to repeat. */
async function putPiece(there: StepRequest, tools: StepTools, piece: Buffer, index: number): Promise<void> {
  const file = `${there.state.run.mount}/${RECORDS_FOLDER}/piece-${index}`;
  const result = await runStepJob(there, tools, {
    name: `piece ${index}`,
    command: `base64 -d <<<${quoteWord(piece.toString('base64'))} >${quoteWord(file)}`,
    workingDirectory: '/',
    timeoutSeconds: 60,
  });
  if (result.status === STATUSES.RUNNING) throw new SessionError(ERRORS.STREAM_CUT, 'writing the change takes longer than one call of the driver');
  throwIfLost(result);
  if (result.verdict !== VERDICTS.PASSED) {
    throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, `cannot write the change to ${file}: ${result.verdict}`, result.tail.slice(-500));
  }
}

