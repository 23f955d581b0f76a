import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Account } from './account';
import { AccountError, described } from './errors';
import type { Executions } from './executions';
import type { FoundRun } from './find-run';
import type { DeployedLoop } from './loops';
import { forEach } from './pool';
import type { Clock } from '../../src/handler/clock';
import { SessionError } from '../../src/jobs/errors';
import type { SessionAddress } from '../../src/jobs/session-address';
import { stopSession } from '../../src/jobs/stop-session';
import type { LoopExecutions } from '../../src/loop/steps/executions';
import { occupantOf } from '../../src/loop/steps/occupant';
import { sessionOf, verificationSession } from '../../src/loop/steps/sessions';

/** The cause of an execution that was stopped from the command line. */
const CAUSE = 'stopped with "cdk-agentcore-workbench runs stop"';

/** Times the back-off, in seconds: a call of the driver that is under way may start a session once more, one second after it lost it. */
const SETTLING = [3, 5, 8, 13, 21];

/** Times the back-off, in seconds, before each stop of a session that AgentCore may still be ending. After the last one, it is not waited for. */
const STOPPING = [0, 0, 3, 8];

/** The result of a stop, for people and for `--json`. */
export interface StoppedRun {
  readonly run: string;
  readonly loop: string;
  /** `STOPPED` if this stopped the execution, otherwise the state in which it is. */
  readonly execution: string;
  /** The sessions of the run. Those of verifications that never began are left out. */
  readonly sessions: readonly StoppedSession[];
  /** The reason why the execution could not be stopped. */
  readonly error?: string;
}

export interface StoppedSession {
  readonly id: string;
  /** True if AgentCore says that there is no such session any more. */
  readonly gone: boolean;
  /** `stopped`, `already gone`, or why it was left. */
  readonly status: string;
}

const STATUSES = { STOPPED: 'stopped', ALREADY: 'already gone', LEFT: 'left running', STILL: 'stopped, but it still exists' } as const;

/** Determines whether nothing of a run is left that should be gone. */
export function isGone({ error, sessions }: StoppedRun): boolean {
  return error === undefined && sessions.every(({ gone, status }) => gone || status.startsWith(STATUSES.LEFT));
}

/** A session that a stop ends, and how far that has come. */
interface Ending {
  readonly address: SessionAddress;
  readonly isVerification: boolean;
  status: string;
  gone: boolean;
}

/** An execution that this stopped, or could not. */
export interface StoppedExecution {
  readonly run: FoundRun;
  readonly state: string;
  readonly error?: string;
}

/** Stops executions of loops and their sessions. */
export class Stopper {
  /** @param backoffSeconds the unit of all waits */
  constructor(private readonly account: Account, private readonly clock: Clock, private readonly backoffSeconds = 1) {}

  /** Stops the execution, if it runs. */
  async stopExecution(run: FoundRun): Promise<StoppedExecution> {
    const { arn, state } = run.execution;
    if (state !== 'RUNNING') return { run, state };
    const request = new StopExecutionCommand({ executionArn: arn, cause: CAUSE });
    await this.account.ask({ action: 'states:StopExecution', resource: arn }, async () => this.account.sfn.send(request));
    return { run, state: 'STOPPED' };
  }

  /** Stops the sessions of executions that have ended, unless other runs work there, and waits until AgentCore says that they are gone. */
  async stopSessions(stopped: readonly StoppedExecution[], executions: LoopExecutions & Pick<Executions, 'loopOf'>): Promise<StoppedRun[]> {
    const all = await forEach(stopped, async ({ run, state, error }) => {
      const of = { run: run.execution.name, loop: run.loop.path, execution: state };
      // The session of a run that goes on is not to be taken from it.
      if (error !== undefined) return { of: { ...of, error }, endings: [] };
      const { endings, left } = await this.endingsOf(run, executions)
        .catch((thrown: Error) => ({ endings: [], left: { id: '', gone: false, status: `not stopped: ${thrown.message}` } }));
      for (const ending of endings) await this.end(ending);
      return { of, endings, left };
    });
    await this.settle(all.filter(({ of }) => of.execution === 'STOPPED').flatMap(({ endings }) => endings).filter(({ gone, status }) => gone || status === STATUSES.STILL));
    return all.map(({ of, endings, left }) => {
      const told = endings.filter(({ isVerification, status }) => !isVerification || status !== STATUSES.ALREADY);
      const sessions = told.map(({ address, gone, status }) => ({ id: address.sessionId, gone, status }));
      return { ...of, sessions: left === undefined ? sessions : [left, ...sessions] };
    });
  }

  private async endingsOf({ loop, execution }: FoundRun, executions: LoopExecutions & Pick<Executions, 'loopOf'>): Promise<{ readonly endings: Ending[]; readonly left?: StoppedSession }> {
    // The loop may have another endpoint by now.
    const made = await executions.loopOf(execution.arn) ?? loop;
    const where = sessionOf(execution.arn, execution.input, made.config.endpointName);
    const ending = (address: SessionAddress, isVerification: boolean): Ending => ({ address, isVerification, status: STATUSES.ALREADY, gone: false });
    // The sessions of verifications belong to this run alone.
    const endings = verificationsOf(made, execution.arn, where?.session.endpointName).map((address) => ending(address, true));
    if (where === undefined) return { endings, left: { id: '', gone: true, status: 'none: its input names a session that is not the loop\'s' } };
    const { id, endpointName: qualifier } = where.session;
    const occupant = await occupantOf(where, execution.arn, { executions });
    if (occupant !== undefined) return { endings, left: { id, gone: false, status: `${STATUSES.LEFT}: the run ${occupant} is using it` } };
    return { endings: [ending({ runtimeArn: made.runtimeArn, qualifier, sessionId: id }, false), ...endings] };
  }

  /** Stops a session until AgentCore answers that there is none. */
  private async end(ending: Ending): Promise<void> {
    ending.gone = false;
    try {
      for (const wait of STOPPING) {
        if (ending.gone) break;
        if (wait > 0) await this.clock.sleep(wait * this.backoffSeconds);
        const answer = await stopSession(this.account.sessions, ending.address, this.clock, this.backoffSeconds);
        ending.gone = answer.status === 'ALREADY_STOPPED';
        if (!ending.gone) ending.status = STATUSES.STOPPED;
      }
      if (!ending.gone) ending.status = STATUSES.STILL;
    } catch (error) {
      ending.status = `not stopped: ${problemOf(error, ending.address)}`;
    }
  }

  /** Looks again for sessions of runs that were under way: some still exist, and a call of the driver may have started others once more. */
  private async settle(endings: readonly Ending[]): Promise<void> {
    let watched = endings;
    for (const wait of SETTLING) {
      if (watched.length === 0) return;
      await this.clock.sleep(wait * this.backoffSeconds);
      const back = await forEach(watched, async (ending) => {
        const before = ending.status;
        ending.status = STATUSES.ALREADY;
        await this.end(ending);
        const isBack = ending.status !== STATUSES.ALREADY;
        if (!isBack) ending.status = before === STATUSES.STILL ? STATUSES.STOPPED : before;
        return isBack ? [ending] : [];
      });
      watched = back.flat();
    }
    // A session that still exists or could not be stopped keeps its own status.
    for (const ending of watched.filter(({ gone }) => gone)) Object.assign(ending, { gone: false, status: 'stopped, but started again: something calls it' });
  }
}

function problemOf(error: unknown, { runtimeArn, qualifier = 'DEFAULT' }: SessionAddress): string {
  const cause = error instanceof SessionError && error.cause instanceof Error ? error.cause : error;
  const asked = { action: 'bedrock-agentcore:StopRuntimeSession', resource: `${runtimeArn}/runtime-endpoint/${qualifier}` };
  return described(cause, asked).message;
}

/** Returns the addresses of all sessions that verifications of a run may have. */
function verificationsOf({ config, runtimeArn }: Pick<DeployedLoop, 'config' | 'runtimeArn'>, execution: string, endpointName: string | undefined): SessionAddress[] {
  const { verification } = config;
  if (verification === undefined) return [];
  const qualifier = verification.runtimeArn === undefined ? endpointName ?? config.endpointName : verification.endpointName;
  return Array.from({ length: verification.attempts }, (_, index) => (
    { runtimeArn: verification.runtimeArn ?? runtimeArn, qualifier, sessionId: verificationSession(execution, qualifier, index + 1).id }
  ));
}

/** Stops one run. */
export async function stopRun(stopper: Stopper, executions: Executions, run: FoundRun): Promise<StoppedRun[]> {
  return stopper.stopSessions([await stopper.stopExecution(run)], executions);
}

/** The number of times that the running executions are listed: runs that start meanwhile are stopped, too. */
const LISTS = 20;

/**
 * Stops all runs of loops: first every execution, until none is listed any more, then the sessions of all of them, so that no run that was about to
 * start enters a session that was stopped.
 */
export async function stopAll(
  stopper: Stopper, executions: Executions, loops: readonly DeployedLoop[], onStopped: (stopped: number) => void,
): Promise<StoppedRun[]> {
  const stopped = new Map<string, StoppedExecution>();
  // Whatever cannot be asked, the sessions of what was stopped are stopped, too.
  const failed = new Map<string, StoppedRun>();
  const fails = (key: string, run: string, loop: string, { message }: Error) => failed.set(key, { run, loop, execution: 'RUNNING', sessions: [], error: message });
  try {
    for (let lists = 0; ; lists++) {
      const news = (await runningOf(executions, loops)).filter(({ arn }) => !stopped.has(arn) && !failed.has(arn));
      if (news.length === 0) break;
      if (lists >= LISTS) throw new AccountError(`runs keep starting: ${stopped.size} were stopped, and ${news.length} more are in progress; pull the brake with "runs brake on", or stop the source of the runs, and try again`);
      await forEach(news, async ({ loop, arn }) => {
        const execution = await executions.find(arn).catch((error: Error) => void fails(arn, arn.split(':').pop()!, loop.path, error));
        if (execution === undefined) return;
        const run = { loop, execution };
        stopped.set(arn, await stopper.stopExecution(run).catch(({ message: error }: Error) => ({ run, state: 'RUNNING', error })));
        onStopped(stopped.size);
      });
    }
  } catch (error) {
    fails('', 'other runs', loops.map(({ path }) => path).join(', '), error as Error);
  }
  const ended = await stopper.stopSessions([...stopped.values()], await snapshotOf(executions, loops).catch(() => executions));
  return [...ended, ...failed.values()];
}

async function runningOf(executions: Executions, loops: readonly DeployedLoop[]): Promise<{ readonly loop: DeployedLoop; readonly arn: string }[]> {
  const found = await forEach(loops, async (loop) => {
    const listed: { readonly loop: DeployedLoop; readonly arn: string }[] = [];
    for await (const arn of executions.running(loop.arn, 0)) listed.push({ loop, arn });
    return listed;
  });
  return found.flat();
}

/** Lists what still runs once for all sessions: hundreds of lists would be throttled. */
async function snapshotOf(executions: Executions, loops: readonly DeployedLoop[]): Promise<LoopExecutions & Pick<Executions, 'loopOf'>> {
  const all = await runningOf(executions, loops);
  return {
    loopOf: async (arn) => executions.loopOf(arn),
    describe: async (arn) => executions.describe(arn),
    endpointNameOf: async (arn) => executions.endpointNameOf(arn),
    running: async function* (stateMachineArn) {
      yield* all.filter(({ loop }) => loop.arn === stateMachineArn).map(({ arn }) => arn);
    },
  };
}
