import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { baggageOf } from './baggage';
import { jobNameOf, JUDGING_PATHS, LOOP_ERRORS, LOOP_LIMITS, NEXT } from './constants';
import { LoopError, LoopErrorName } from './errors';
import { LoopExecutions } from './executions';
import { LoopConfig, ProposalConfig, ProtectConfig } from './loop-config';
import { NoResultError, nonceOf, Results, resultsOf, WorkspaceFunction } from './results';
import { LoopState, RunIdentity } from './state';
import { scriptOf } from './workspace-scripts';
import { AwsRequests } from '../../handler/aws-requests';
import { maskSecrets } from '../../handler/mask';
import { ERRORS, LIMITS, LOST_REASONS, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { Job, jobId, JobResult } from '../../jobs/job';
import { RunJobOptions } from '../../jobs/run-job';

/** Returns the variables with which the scripts find files that judge a change. */
export function judgingVariables(protect: ProtectConfig | undefined): { readonly [name: string]: string } {
  return { WB_JUDGING: JUDGING_PATHS.join('\n'), WB_PROTECTED: (protect?.paths ?? []).join('\n') };
}

/** The request that every step receives from the state machine. */
export interface StepRequest {
  readonly runtimeArn: string;
  readonly execution: string;
  readonly config: LoopConfig;
  /** The whole state: the input, the run and its progress. */
  readonly state: { readonly prompt: string; readonly taskId: string; readonly run: RunIdentity; readonly loop: LoopState };
}

export interface StepTools extends RunJobOptions {
  /** A client without retries, for calls that are not idempotent. */
  readonly onceClient: BedrockAgentCoreClient;
  readonly executions: LoopExecutions;
  /** Runs a job, and logs and measures its result. */
  readonly runJob: (request: Job, options: RunJobOptions) => Promise<JobResult>;
  /** Lets a function of the workspace script contact a remote. Missing if its sessions have their own credential, or none. */
  readonly access?: (request: StepRequest, name: WorkspaceFunction, job: string) => Promise<Access>;
  /** Makes and pushes a commit, in place of its session. Only the publisher has it. */
  readonly publish?: (where: StepRequest, tools: StepTools, wanted: WantedCommit) => Promise<Results<'commit'>>;
  /** Shows a pushed commit to people, as a pull request and beside the commit. Only the publisher has it. */
  readonly present?: (request: StepRequest, proposal: ProposalConfig | undefined) => Promise<Pick<LoopState, 'pullRequest'>>;
  readonly measure: (name: string, value: number, unit: 'Count' | 'Seconds' | 'Percent' | 'NoUnit', dimensions: { readonly [name: string]: string }) => void;
  /** Returns requests to an AWS service by its name in signatures, such as `s3`. */
  readonly requestsOf?: (service: string) => AwsRequests;
  /** The time that the budget of the run leaves for a turn, in seconds. */
  readonly turnSeconds?: number;
  /** Returns what keeps the output of a command of the user's or the agent's. Undefined if it is not kept. */
  readonly keep?: (request: StepRequest, name: string) => KeptOutput | undefined;
  /** Keeps the reports of a gate. */
  readonly keepReports?: (request: StepRequest, gate: string, reports: readonly { readonly name: string; readonly xml: Buffer }[]) => Promise<void>;
  /** The limit of the budget that sets this time, in words. */
  readonly turnLimit?: string;
  /** Throws a `LoopError` if the run must not begin. Only in the first step. */
  readonly admit?: () => Promise<unknown>;
  /** Writes a line into the driver's log. */
  readonly log?: (message: string, fields: { readonly [name: string]: string | number }) => void;
}

/** Keeps the output of a command. It never fails. */
export interface KeptOutput {
  readonly onOutput: (data: Buffer, offset: number) => void;
  /** Keeps what there is so far, or all of it. */
  end(result: JobResult): Promise<void>;
}

/** The commit of a run, in the variables of the workspace script. */
export interface WantedCommit {
  readonly [name: string]: string | number;
  readonly WB_TREE: string;
  readonly WB_BASE: string;
  /** The other parents. */
  readonly WB_MERGES: string;
  readonly WB_DATE: number;
  readonly WB_MESSAGE: string;
}

/** The addition to a command that contacts a remote. */
export interface Access {
  readonly environment?: { readonly [name: string]: string };
  /** Comes after the workspace script. */
  readonly script?: string;
  /** The reason why there is no access, if the image is to blame. */
  readonly inert?: string;
}

/** Collects the output of a job, up to a number of bytes: a session may print without end, and the driver has 512 MB. */
export function collector(limit: number) {
  const parts: Buffer[] = [];
  let size = 0;
  return {
    onOutput: (data: Buffer) => {
      size += data.length;
      if (size <= limit) parts.push(data);
    },
    output: () => Buffer.concat(parts),
  };
}

/** A job of a step. The run supplies the other fields. */
export type StepJob = Pick<
  Job, 'name' | 'command' | 'prologue' | 'timeoutSeconds' | 'environment' | 'workingDirectory' | 'failFast' | 'input' | 'user' | 'tailBytes' | 'logBytes' | 'isOurs' | 'answered'
> & {
  /** Determines whether the workspace need not belong to the run: before the run takes it, and after the run has left it. */
  readonly unclaimed?: boolean;
};

/**
 * Lets git work on a mount that another user owns. Added to what the container or the loop configures in the same way, such as a credential
 * helper.
 */
const SAFE_DIRECTORY = [
  '[[ ${GIT_CONFIG_COUNT:-0} != *[!0-9]* ]] || unset GIT_CONFIG_COUNT', // arithmetic on text runs commands
  'GIT_CONFIG_COUNT=$((10#${GIT_CONFIG_COUNT:-0}))',
  'export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=safe.directory" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=*" GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))',
].join('; ');

/** Makes a user's lines fail if any of their commands fails: the exit code of the last one alone proves nothing about the others. */
export function strictly(pipefail = true): string {
  return pipefail ? 'set -e -o pipefail' : 'set -e';
}

/** The identity of a commit that is made while a gate runs. */
function gitEnvironment(author: LoopConfig['author']): { [name: string]: string } {
  return {
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  };
}

/** Returns the seconds until the run's deadline. Throws if it has passed. */
export function secondsLeftOf(run: RunIdentity, tools: Pick<StepTools, 'clock'>): number {
  const seconds = run.deadline - Math.floor(tools.clock.now() / 1_000);
  if (seconds <= 0) throw new LoopError(LOOP_ERRORS.TIMED_OUT, `the run took longer than ${run.deadline - run.startedAt} seconds`);
  return seconds;
}

/** Runs one command of the run, at most once under its name in the round. A lost workspace ends the run. */
export async function runStepJob(request: StepRequest, tools: StepTools, job: StepJob): Promise<JobResult> {
  const { run, loop } = request.state;
  const secondsLeft = secondsLeftOf(run, tools);
  const name = jobNameOf(loop, job.name);
  // The first step may be repeated with another key, and must find its jobs all the same. No agent has been invoked then.
  const key = run.base === undefined ? undefined : run.key;
  const previous = loop.previous?.job === jobId(run.id, loop.round, name, key) ? loop.previous : undefined;
  const { unclaimed, ...own } = job;
  const kept = job.isOurs ? undefined : tools.keep?.(request, job.name);
  const result = await tools.runJob({
    ...own,
    runtimeArn: request.runtimeArn,
    qualifier: run.session.endpointName,
    sessionId: run.session.id,
    run: run.id,
    round: loop.round,
    name,
    key,
    prologue: job.prologue === undefined ? SAFE_DIRECTORY : `${SAFE_DIRECTORY}; ${job.prologue}`,
    mount: run.mount,
    workingDirectory: job.workingDirectory ?? run.clone,
    environment: { ...gitEnvironment(request.config.author), ...request.config.environment, ...job.environment },
    timeoutSeconds: previous?.timeoutSeconds ?? Math.min(job.timeoutSeconds, secondsLeft),
    previous,
    marker: unclaimed ? undefined : run.id,
    answered: job.answered ?? true,
    baggage: baggageOf(request.state),
  }, kept === undefined ? tools : { ...tools, onOutput: kept.onOutput });
  await kept?.end(result);
  if (result.lostReason === LOST_REASONS.WORKSPACE) {
    throw new LoopError(LOOP_ERRORS.WORKSPACE_LOST, 'the workspace no longer belongs to the run: a deployment moved the endpoint, or the storage expired');
  }
  return result;
}

/** Returns the record without a running job, for a step that has ended. */
export function settled({ previous: _, ...loop }: LoopState): LoopState {
  return loop;
}

/** A step whose job outlived the function: the same step again. */
export function stillRunning({ state: { loop } }: StepRequest, { job, timeoutSeconds, overtimeAt }: JobResult): LoopState {
  return { ...loop, next: NEXT.RUNNING, previous: { job, timeoutSeconds, overtimeAt } };
}

/** Sends a job again, under another name, whose microVM was lost; it may have been done in part. */
export async function repeatedIfLost(send: (attempt: number) => Promise<JobResult>): Promise<JobResult> {
  for (let attempt = 0; ; attempt++) {
    const result = await send(attempt);
    if (result.verdict !== VERDICTS.LOST || attempt >= LOOP_LIMITS.losses) return result;
  }
}

/** The errors that the exit codes of the workspace script stand for. */
const BY_EXIT_CODE: { readonly [code: number]: typeof LOOP_ERRORS[keyof typeof LOOP_ERRORS] } = {
  75: LOOP_ERRORS.SESSION_BUSY,
  76: LOOP_ERRORS.CHECKOUT_FAILED,
  77: LOOP_ERRORS.COMMIT_FAILED,
  78: LOOP_ERRORS.PUSH_REJECTED,
  79: LOOP_ERRORS.WORKSPACE_LOST,
  80: LOOP_ERRORS.BRANCH_CONFLICT,
  81: LOOP_ERRORS.PUSH_UNKNOWN,
  82: LOOP_ERRORS.VERIFICATION_FAILED,
  127: LOOP_ERRORS.INERT,
};

/** The exit code of a command whose key for a token is gone, with the ephemeral disk of a microVM. */
const KEY_LOST = 83;

/**
 * Runs a function of the workspace script, and returns its results.
 *
 * Every function is safe to repeat, so one whose microVM is lost runs again. So does one that an earlier call of the first step started with a
 * key that is lost by now.
 */
export async function inWorkspace<F extends WorkspaceFunction>(
  request: StepRequest, tools: StepTools, name: F, otherwise: LoopErrorName,
  variables: { readonly [name: string]: string | number },
  options: {
    readonly unclaimed?: boolean; readonly first?: boolean; readonly label?: string; readonly logBytes?: number; readonly script?: string;
  } = {},
): Promise<Results<F>> {
  const { run, loop } = request.state;
  const environment = Object.fromEntries(Object.entries({
    WB_MOUNT: run.mount,
    WB_RUN: run.id,
    WB_BRANCH: run.branch,
    WB_URL: run.repository.url,
    WB_REF: run.repository.ref ?? '',
    WB_DEPTH: request.config.depth,
    WB_NAME: request.config.author.name,
    WB_EMAIL: request.config.author.email,
    WB_PUSH: request.config.push ? 'yes' : 'no',
    WB_PAUSE: Math.ceil(tools.backoffSeconds),
    WB_USER: run.user ?? '',
    ...variables,
  }).map(([key, value]) => [key, String(value)]));
  let again: string | undefined;
  for (let losses = 0; ;) {
    const job = [name, options.label, losses || undefined, again].filter((part) => part !== undefined).join(' ');
    const nonce = nonceOf(run.key, [loop.baseline ? -1 : loop.round, loop.losses, loop.rebases, job]);
    const access = await tools.access?.(request, name, job);
    if (access?.inert !== undefined) throw new LoopError(LOOP_ERRORS.INERT, access.inert);
    const result = await runStepJob(request, tools, {
      name: job,
      command: scriptOf(name, access?.script ?? options.script),
      workingDirectory: '/',
      timeoutSeconds: LOOP_LIMITS.gitSeconds,
      environment: { ...environment, ...access?.environment, WB_NONCE: nonce },
      tailBytes: LIMITS.tailBytes.max,
      isOurs: true,
      unclaimed: options.unclaimed,
      logBytes: options.logBytes,
      // Only the first command of a session may find it starting.
      answered: !(options.first && losses === 0 && again === undefined),
    });
    if (result.status === STATUSES.RUNNING) throw new SessionError(ERRORS.STREAM_CUT, `"${name}" takes longer than one call of the driver`);
    if (result.verdict === VERDICTS.LOST || result.exitCode === KEY_LOST) {
      if (losses++ < LOOP_LIMITS.losses) continue;
      throw new LoopError(LOOP_ERRORS.LOST, `"${name}" was lost ${losses} times (${result.lostReason ?? 'MICROVM'})`);
    }
    if (result.verdict !== VERDICTS.PASSED) {
      throw new LoopError(BY_EXIT_CODE[result.exitCode ?? -1] ?? otherwise, `"${name}" ${result.verdict}, exit code ${result.exitCode}`, maskSecrets(result.tail.trim()).slice(-2_000));
    }
    try {
      return resultsOf(result.tail, nonce, name);
    } catch (error) {
      if (!(error instanceof NoResultError) || !error.absent || again !== undefined) throw new LoopError(otherwise, `"${name}" reported no valid result`, (error as Error).message);
      again = nonce;
    }
  }
}
