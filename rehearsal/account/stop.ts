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

/** Seconds between the tries of a stop of a session, the first time. */
const BACKOFF_SECONDS = 1;

/** The number of times that a session is stopped that comes back: a step that was under way may call it once more. */
const COMEBACKS = 5;

/** Seconds after which a session is asked for once more. */
export const SETTLE_SECONDS = 3;

/** The result of a stop, for people and for `--json`. */
export interface StoppedRun {
  readonly run: string;
  readonly loop: string;
  /** `STOPPED` if this stopped the execution, otherwise the state in which it had ended. */
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

/** Determines whether nothing of a run is left that should be gone. */
export function isGone({ error, sessions }: StoppedRun): boolean {
  return error === undefined && sessions.every(({ gone, status }) => gone || status.startsWith('left running'));
}

/** Stops executions of loops and their sessions. */
export class Stopper {
  constructor(private readonly account: Account, private readonly executions: Executions, private readonly clock: Clock) {}

  /** Stops the execution, if it runs. Returns the state that it was in. */
  async stopExecution({ execution }: FoundRun): Promise<string> {
    if (execution.state !== 'RUNNING') return execution.state;
    await this.account.ask({ action: 'states:StopExecution', resource: execution.arn }, async () => this.account.sfn.send(new StopExecutionCommand({ executionArn: execution.arn, cause: CAUSE })));
    return 'STOPPED';
  }

  /** Stops the sessions of an execution that has ended, unless another run works there, and waits until AgentCore says that they are gone. */
  async stopSessions({ loop, execution }: FoundRun, executions: LoopExecutions = this.executions): Promise<StoppedSession[]> {
    const made = await this.executions.loopOf(execution.arn) ?? loop;
    const { config, runtimeArn } = made;
    const where = sessionOf(execution.arn, execution.input, config.endpointName);
    // The sessions of verifications belong to this run alone.
    const verifications = verificationsOf(made, execution.arn, where?.session.endpointName);
    const stopped = await forEach(verifications, async (address) => this.untilGone(address));
    const begun = stopped.filter(({ status }) => status !== ALREADY);
    if (where === undefined) return [{ id: '', gone: true, status: 'none: its input names a session that is not the loop\'s' }, ...begun];
    const { id, endpointName: qualifier } = where.session;
    const occupant = await occupantOf(where, execution.arn, { executions });
    if (occupant !== undefined) return [{ id, gone: false, status: `left running: the run ${occupant} is using it` }, ...begun];
    return [await this.untilGone({ runtimeArn, qualifier, sessionId: id }), ...begun];
  }

  /** Stops a session until AgentCore answers that there is none. */
  private async untilGone(address: SessionAddress): Promise<StoppedSession> {
    const { sessionId: id } = address;
    let status: string = ALREADY;
    try {
      for (let tries = 0; tries < COMEBACKS; tries++) {
        const answer = await stopSession(this.account.sessions, address, this.clock, BACKOFF_SECONDS);
        if (answer.status === 'ALREADY_STOPPED') return { id, gone: true, status };
        status = 'stopped';
      }
      return { id, gone: false, status: `it was stopped ${COMEBACKS} times, and comes back: something calls it` };
    } catch (error) {
      return { id, gone: false, status: `not stopped: ${problemOf(error, address)}` };
    }
  }
}

const ALREADY = 'already gone';

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
export async function stopRun(stopper: Stopper, run: FoundRun): Promise<StoppedRun> {
  const execution = await stopper.stopExecution(run);
  return { run: run.execution.name, loop: run.loop.path, execution, sessions: await stopper.stopSessions(run) };
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
  const stopped = new Map<string, { readonly run: FoundRun; readonly error?: string }>();
  for (let lists = 0; ; lists++) {
    const news: { readonly loop: DeployedLoop; readonly arn: string }[] = [];
    for (const loop of loops) {
      for await (const { executionArn: arn } of executions.list(loop, 'RUNNING')) {
        if (!stopped.has(arn!)) news.push({ loop, arn: arn! });
      }
    }
    if (news.length === 0) break;
    if (lists >= LISTS) throw new AccountError(`runs keep starting: ${stopped.size} were stopped, and ${news.length} more run; pull the brake with "runs brake on", or stop what starts them, and try again`);
    await forEach(news, async ({ loop, arn }) => {
      const execution = await executions.find(arn);
      if (execution === undefined) return;
      const run = { loop, execution };
      const error = await stopper.stopExecution(run).then(() => undefined, (thrown: Error) => thrown.message);
      stopped.set(arn, { run, error });
      onStopped(stopped.size);
    });
  }
  const known = await snapshotOf(executions, loops);
  return forEach([...stopped.values()], async ({ run, error }): Promise<StoppedRun> => {
    const { name } = run.execution;
    // The session of a run that goes on is not to be taken from it.
    if (error !== undefined) return { run: name, loop: run.loop.path, execution: 'RUNNING', sessions: [], error };
    const sessions = await stopper.stopSessions(run, known).catch((thrown: Error): StoppedSession[] => [{ id: '', gone: false, status: `not stopped: ${thrown.message}` }]);
    return { run: name, loop: run.loop.path, execution: 'STOPPED', sessions };
  });
}

/** Lists what still runs once for all sessions: hundreds of lists would be throttled. */
async function snapshotOf(executions: Executions, loops: readonly DeployedLoop[]): Promise<LoopExecutions> {
  const running = new Map<string, string[]>();
  for (const { arn } of loops) {
    const listed: string[] = [];
    for await (const each of executions.running(arn, 0)) listed.push(each);
    running.set(arn, listed);
  }
  return {
    describe: async (arn) => executions.describe(arn),
    endpointNameOf: async (arn) => executions.endpointNameOf(arn),
    running: async function* (stateMachineArn) {
      yield* running.get(stateMachineArn) ?? [];
    },
  };
}
