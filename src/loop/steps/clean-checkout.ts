import { afterFailure } from './after-failure';
import { GATE_VERDICTS, LOOP_ERRORS, VERIFICATION } from './constants';
import { LoopError } from './errors';
import { isGreen } from './gate';
import { count, GateConfig, judge, Judgement, shortNameOf } from './judge';
import { ProtectConfig } from './loop-config';
import { runBootstrap } from './prepare';
import { BaseGate } from './records';
import { defined, united } from './results';
import { verificationSession } from './sessions';
import { VerificationState } from './state';
import { inWorkspace, StepJob, StepRequest, StepTools } from './step';
import { STATUSES, VERDICTS } from '../../jobs/constants';
import { cachesBelow, JobResult } from '../../jobs/job';

/** The request of a step that works in the session of a verification. */
export interface VerifyRequest extends StepRequest {
  readonly bootstrap?: { readonly commands: readonly string[]; readonly timeoutSeconds: number };
  readonly gates: readonly GateConfig[];
  readonly maxRepairs: number;
  readonly protect?: ProtectConfig;
}

/** The time that a call of the driver must have left to begin with another part, in milliseconds. */
const ENOUGH_TIME = 120_000;

/** Determines whether it is too late in a call of the driver to begin with another part. */
export function isLate({ until, clock }: StepTools): boolean {
  return until - clock.now() < ENOUGH_TIME;
}

/** Returns the place of a verification that is under way, or of the next one, in a session of its own. Throws after too many. */
export function placeOf({ config, state: { loop } }: StepRequest): VerificationState {
  const { attempts } = config.verification!;
  const { verification: last } = loop;
  const isUnderWay = last !== undefined && !last.isOver && last.passed === undefined;
  const { attempt = 0, doubt, isProbed, asContainerUser } = last ?? {};
  const place = isUnderWay ? last : { attempt: attempt + 1, gates: [], ...defined({ doubt, isProbed, asContainerUser }) };
  if (place.attempt > attempts) throw new LoopError(LOOP_ERRORS.VERIFICATION_FAILED, `no verification was completed in ${attempts} sessions`);
  return place;
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

export function addressOf({ runtimeArn, state: { run: { session } } }: StepRequest) {
  return { runtimeArn, qualifier: session.endpointName, sessionId: session.id };
}

/**
 * Takes the workspace of a verification: a clone of what is at the remote.
 *
 * @param wanted commits that are fetched too, if the remote has them
 * @param give determines whether the clone is given to the user that commands run as at once, since no change follows
 */
export function freshAt(there: StepRequest, request: StepRequest, tools: StepTools, wanted: readonly string[], give: 'yes' | 'no') {
  const { loop, run } = request.state;
  return inWorkspace(there, tools, 'fresh', LOOP_ERRORS.VERIFICATION_FAILED, {
    WB_DEADLINE: run.deadline,
    WB_REF_OF_INPUT: '',
    WB_WANT: wanted.join(' '),
    WB_USER: request.config.verification!.separateUser === 'never' || loop.verification?.asContainerUser ? '' : VERIFICATION.user,
    WB_GIVE: give,
    WB_LINK: request.config.shared ? '' : run.clone,
  }, { unclaimed: true, first: true });
}

export function throwIfLost({ verdict, lostReason }: JobResult): void {
  if (verdict === VERDICTS.LOST) throw new LoopError(LOOP_ERRORS.LOST, `a command of the verification was lost (${lostReason})`);
}

interface Commands {
  readonly request: VerifyRequest;
  readonly job: Partial<StepJob>;
  /** The request for what is done with the files after them. */
  readonly files: VerifyRequest;
}

/** Returns how the commands of the user run in a verification: as a user of their own, with a home of its own, where the image can do that. */
export function commandsOf(there: VerifyRequest, { separate }: VerificationState): Commands {
  const { mount, user } = VERIFICATION;
  if (!separate) return { request: there, job: {}, files: there };
  const environment = { HOME: `${mount}/home`, USER: 'nobody', LOGNAME: 'nobody', ...cachesBelow(`${mount}/cache`), ...there.config.environment };
  const files = { ...there, state: { ...there.state, run: { ...there.state.run, user } } };
  return { request: { ...there, config: { ...there.config, environment } }, job: { user }, files };
}

/** The progress of the commands in a clean checkout. */
export type Course = { readonly verification: VerificationState } & (
  /** The time of this call is up: the next one continues. */
  | { readonly kind: 'LATER' }
  /** A command outlived this call. */
  | { readonly kind: 'RUNNING'; readonly result: JobResult }
  | { readonly kind: 'BOOTSTRAP_FAILED'; readonly result: JobResult }
  | { readonly kind: 'RED'; readonly gate: GateConfig; readonly judgement: Judgement }
  | { readonly kind: 'ENDED' }
);

/**
 * Runs the bootstrap and the gates in a clean checkout, up to the first gate that does not pass, or all of them.
 *
 * A gate with retries that fails runs again on the same tree. If it passes then, it is flaky.
 */
export async function runThere(place: VerificationState, there: VerifyRequest, tools: StepTools, all = false): Promise<Course> {
  let verification = place;
  const how = commandsOf(there, verification);
  if (!verification.isReady && there.bootstrap !== undefined) {
    const result = await runBootstrap({ ...how.request, ...there.bootstrap }, tools, how.job);
    if (result.status === STATUSES.RUNNING) return { kind: 'RUNNING', verification, result };
    throwIfLost(result);
    if (result.verdict !== VERDICTS.PASSED) return { kind: 'BOOTSTRAP_FAILED', verification, result };
    await inWorkspace(how.files, tools, 'bootstrapped', LOOP_ERRORS.VERIFICATION_FAILED, {});
  }
  verification = { ...verification, isReady: true };
  while (verification.gates.length < there.gates.length) {
    if (isLate(tools)) return { kind: 'LATER', verification };
    const gate = there.gates[verification.gates.length];
    const { tries, ...rest } = verification;
    const judgement = await judge(how.request, tools, gate, { ...how, retry: tries?.failed });
    if ('running' in judgement) return { kind: 'RUNNING', verification, result: judgement.running };
    throwIfLost(judgement.result);
    const hasPassed = judgement.verdict === VERDICTS.PASSED;
    const { failed = 0 } = tries ?? {};
    if (!hasPassed && failed < (gate.retries ?? 0) && judgement.verdict !== VERDICTS.INERT) {
      const tests = united(tries?.tests, judgement.record.tests?.failing);
      verification = { ...rest, tries: { failed: failed + 1, ...defined({ tests, known: all ? knownOf(judgement, tries?.known) : undefined }) } };
      continue;
    }
    if (!all) count(there, tools, judgement.verdict);
    if (!hasPassed && !all) return { kind: 'RED', verification: rest, gate, judgement };
    verification = { ...rest, gates: [...rest.gates, recordOf(judgement, tries, all)] };
  }
  return { kind: 'ENDED', verification };
}

/** Returns the record of a gate that has ended, perhaps after tries that failed. */
function recordOf(judgement: Judgement, tries: VerificationState['tries'], isBase: boolean): BaseGate {
  const { record } = judgement;
  const isFlaky = tries !== undefined && record.verdict === VERDICTS.PASSED;
  const said = isFlaky ? { ...record, verdict: GATE_VERDICTS.FLAKY, ...defined({ flakyTests: tries.tests }) } : record;
  if (!isBase || isGreen(said)) return said;
  return { ...said, failure: afterFailure().failureOf(record.name, judgement), ...defined({ known: knownOf(judgement, tries?.known) }) };
}

/** Returns the short names of the failing tests of a gate on the base, and of those that failed in earlier tries only. */
function knownOf({ failing }: Judgement, earlier = ''): string | undefined {
  const now = (failing ?? []).map(shortNameOf);
  const more = (earlier.match(/.{6}/g) ?? []).filter((name) => !now.includes(name));
  return failing === undefined && earlier === '' ? undefined : [...now, ...more].join('');
}
