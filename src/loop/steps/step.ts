import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT } from './constants';
import { LoopExecutions } from './executions';
import { jobNameOf } from './job-names';
import { LoopError, LoopRecord, RunRecord } from './records';
import { NoResultError, nonceOf, Results, resultsOf, WorkspaceFunction } from './results';
import { scriptOf } from './workspace-scripts';
import { maskSecrets } from '../../handler/mask';
import { ERRORS, LIMITS, LOST_REASONS, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { Job, jobId, JobResult } from '../../jobs/job';
import { RunJobOptions } from '../../jobs/run-job';

/** What a loop is configured with, as far as more than one step needs it. */
export interface LoopConfig {
  /** For metrics. */
  readonly name: string;
  readonly mount: string;
  /** Whether the workspace may be one of several sessions, as a file system of the user's is. */
  readonly shared?: boolean;
  readonly endpointName?: string;
  /** Commits of history; 0 is all of it. */
  readonly depth: number;
  /** Whether all of the history is wanted beside that, without the contents of earlier versions. */
  readonly history?: boolean;
  /** Whether submodules are initialized. */
  readonly submodules?: boolean;
  readonly author: { readonly name: string; readonly email: string };
  /** Whether the run's branch is pushed. */
  readonly push: boolean;
  readonly environment?: { readonly [name: string]: string };
}

/** What every step gets from the state machine. */
export interface StepRequest {
  readonly runtimeArn: string;
  readonly execution: string;
  readonly config: LoopConfig;
  /** All of the state: the input, the run and where it stands. */
  readonly state: { readonly prompt: string; readonly taskId: string; readonly run: RunRecord; readonly loop: LoopRecord };
}

export interface StepTools extends RunJobOptions {
  /** For what must not be repeated unseen. */
  readonly onceClient: BedrockAgentCoreClient;
  readonly executions: LoopExecutions;
  /** Runs a job, and logs and measures what became of it. */
  readonly runJob: (request: Job, options: RunJobOptions) => Promise<JobResult>;
  readonly measure: (name: string, value: number, unit: 'Count' | 'Seconds', dimensions: { readonly [name: string]: string }) => void;
}

/** A job of a step. The run supplies the other fields. */
export type StepJob = Pick<
  Job, 'name' | 'command' | 'prologue' | 'timeoutSeconds' | 'environment' | 'workingDirectory' | 'failFast' | 'input' | 'tailBytes' | 'isOurs' | 'answered'
> & {
  /** Determines whether the workspace need not belong to the run: before the run takes it, and after the run has left it. */
  readonly unclaimed?: boolean;
};

/**
 * Git's own idea of who owns what does not fit a mount that another user made. Beside what the container or the loop configures in the
 * same way, such as a credential helper.
 */
const SAFE_DIRECTORY = [
  '[[ ${GIT_CONFIG_COUNT:-0} != *[!0-9]* ]] || unset GIT_CONFIG_COUNT', // arithmetic on text runs commands
  'GIT_CONFIG_COUNT=$((10#${GIT_CONFIG_COUNT:-0}))',
  'export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=safe.directory" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=*" GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))',
].join('; ');

/** For lines of the user's, which pass only if each of their commands does: what the last one says is not all that they are about. */
export function strictly(pipefail = true): string {
  return pipefail ? 'set -e -o pipefail' : 'set -e';
}

/** Identity for whoever commits in a gate. */
function gitEnvironment(author: LoopConfig['author']): { [name: string]: string } {
  return {
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  };
}

/** Until the run's time is up; fails if it is. */
export function secondsLeftOf(run: RunRecord, tools: Pick<StepTools, 'clock'>): number {
  const seconds = run.deadline - Math.floor(tools.clock.now() / 1_000);
  if (seconds <= 0) throw new LoopError(LOOP_ERRORS.TIMED_OUT, `the run took longer than ${run.deadline - run.startedAt} seconds`);
  return seconds;
}

/** Runs one command of the run, at most once under its name in the round. A lost workspace ends the run. */
export async function runStepJob(request: StepRequest, tools: StepTools, job: StepJob): Promise<JobResult> {
  const { run, loop } = request.state;
  const secondsLeft = secondsLeftOf(run, tools);
  const name = jobNameOf(loop, job.name);
  const previous = loop.previous?.job === jobId(run.id, loop.round, name) ? loop.previous : undefined;
  const { unclaimed, ...own } = job;
  const result = await tools.runJob({
    ...own,
    runtimeArn: request.runtimeArn,
    qualifier: run.session.endpointName,
    sessionId: run.session.id,
    run: run.id,
    round: loop.round,
    name,
    prologue: job.prologue === undefined ? SAFE_DIRECTORY : `${SAFE_DIRECTORY}; ${job.prologue}`,
    mount: run.mount,
    workingDirectory: job.workingDirectory ?? run.clone,
    environment: { ...gitEnvironment(request.config.author), ...request.config.environment, ...job.environment },
    timeoutSeconds: previous?.timeoutSeconds ?? Math.min(job.timeoutSeconds, secondsLeft),
    previous,
    marker: unclaimed ? undefined : run.id,
    answered: job.answered ?? true,
  }, tools);
  if (result.lostReason === LOST_REASONS.WORKSPACE) {
    throw new LoopError(LOOP_ERRORS.WORKSPACE_LOST, 'the workspace is not the run\'s own any more: a deployment moved the endpoint, or it expired');
  }
  return result;
}

/** A step that goes on has no job that is running. */
export function settled({ previous: _, ...loop }: LoopRecord): LoopRecord {
  return loop;
}

/** A step whose job outlived the function: the same step again. */
export function stillRunning({ state: { loop } }: StepRequest, { job, timeoutSeconds, overtimeAt }: JobResult): LoopRecord {
  return { ...loop, next: NEXT.RUNNING, previous: { job, timeoutSeconds, overtimeAt } };
}

/** Sends a job again, under another name, whose microVM was lost; it may have been done in part. */
export async function repeatedIfLost(send: (attempt: number) => Promise<JobResult>): Promise<JobResult> {
  for (let attempt = 0; ; attempt++) {
    const result = await send(attempt);
    if (result.verdict !== VERDICTS.LOST || attempt >= LOOP_LIMITS.losses) return result;
  }
}

/** What the workspace's script says with its exit code. */
const BY_EXIT_CODE: { readonly [code: number]: typeof LOOP_ERRORS[keyof typeof LOOP_ERRORS] } = {
  75: LOOP_ERRORS.SESSION_BUSY,
  76: LOOP_ERRORS.CHECKOUT_FAILED,
  77: LOOP_ERRORS.COMMIT_FAILED,
  78: LOOP_ERRORS.PUSH_REJECTED,
  79: LOOP_ERRORS.WORKSPACE_LOST,
  80: LOOP_ERRORS.BRANCH_CONFLICT,
  81: LOOP_ERRORS.PUSH_UNKNOWN,
  127: LOOP_ERRORS.INERT,
};

/**
 * Runs one of the functions of `workspace.sh`, and returns what it said at its end.
 *
 * All of them can be run again, so that one whose microVM is lost is. So is one that an earlier call of this step has begun under a key
 * that nobody knows any more: that of the first step.
 */
export async function inWorkspace<F extends WorkspaceFunction>(
  request: StepRequest, tools: StepTools, name: F, otherwise: typeof LOOP_ERRORS[keyof typeof LOOP_ERRORS],
  variables: { readonly [name: string]: string | number },
  options: { readonly unclaimed?: boolean; readonly first?: boolean; readonly label?: string } = {},
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
    ...variables,
  }).map(([key, value]) => [key, String(value)]));
  let again: string | undefined;
  for (let losses = 0; ;) {
    const job = [name, options.label, losses || undefined, again].filter((part) => part !== undefined).join(' ');
    const nonce = nonceOf(run.key, [loop.baseline ? -1 : loop.round, loop.losses, loop.rebases, job]);
    const result = await runStepJob(request, tools, {
      name: job,
      command: scriptOf(name),
      workingDirectory: '/',
      timeoutSeconds: LOOP_LIMITS.gitSeconds,
      environment: { ...environment, WB_NONCE: nonce },
      tailBytes: LIMITS.tailBytes.max,
      isOurs: true,
      unclaimed: options.unclaimed,
      // Only the first command of a session may find it starting.
      answered: !(options.first && losses === 0 && again === undefined),
    });
    if (result.status === STATUSES.RUNNING) throw new SessionError(ERRORS.STREAM_CUT, `"${name}" takes longer than one call of the driver`);
    if (result.verdict === VERDICTS.LOST) {
      if (losses++ < LOOP_LIMITS.losses) continue;
      throw new LoopError(LOOP_ERRORS.LOST, `"${name}" was lost ${losses} times (${result.lostReason})`);
    }
    if (result.verdict !== VERDICTS.PASSED) {
      throw new LoopError(BY_EXIT_CODE[result.exitCode ?? -1] ?? otherwise, `"${name}" ${result.verdict}, exit code ${result.exitCode}`, maskSecrets(result.tail.trim()).slice(-2_000));
    }
    try {
      return resultsOf(result.tail, nonce, name);
    } catch (error) {
      if (!(error instanceof NoResultError) || !error.absent || again !== undefined) throw new LoopError(otherwise, `"${name}" has not said what it did`, (error as Error).message);
      again = nonce;
    }
  }
}
