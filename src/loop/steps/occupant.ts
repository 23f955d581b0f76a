import { LOOP_LIMITS } from './constants';
import { KnownExecution } from './executions';
import { executionOfRun, givenSession, LoopSession, runIdOf, sessionOf, stateMachineOf } from './sessions';
import { StepTools } from './step';
import { ERRORS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';

/**
 * Who is at work in a session, besides the execution that asks.
 *
 * Step Functions is asked, and nobody else: what is written in the workspace may be written by the agent. An execution is at work
 * in a session while it runs, if it made the session or its input names it.
 */

type Tools = Pick<StepTools, 'executions'>;

/** The id of a run that is under way in a session, if there is one. */
export async function occupantOf(
  session: LoopSession, own: string, { executions }: Tools, isBefore: (other: KnownExecution) => boolean = () => true,
): Promise<string | undefined> {
  const maker = await executions.describe(session.maker);
  if (maker !== undefined && maker.arn !== own && worksIn(maker, session)) return runIdOf(maker.arn);
  let asked = 0;
  // None that began before the session was made can be in it.
  for await (const arn of executions.running(stateMachineOf(own), maker?.startedAt ?? 0)) {
    if (arn === own || arn === session.maker) continue;
    if (asked++ >= LOOP_LIMITS.occupantsAsked) {
      throw new SessionError(ERRORS.THROTTLED, `more than ${LOOP_LIMITS.occupantsAsked} runs are under way: it cannot be said which of them are in the session`);
    }
    const other = await executions.describe(arn);
    if (other !== undefined && worksIn(other, session) && isBefore(other)) return runIdOf(arn);
  }
  return undefined;
}

/** Whether the run that a marker names is under way there. A marker is a file: it proposes a name, and Step Functions decides. */
export async function isUnderWay(runId: string, session: LoopSession, own: string, { executions }: Tools): Promise<boolean> {
  const arn = executionOfRun(own, runId);
  const execution = arn === undefined ? undefined : await executions.describe(arn);
  return execution !== undefined && worksIn(execution, session);
}

/** The same of a workspace that all sessions share, in whatever session the run is. Nothing if the name is none of this loop's. */
export async function isUnderWaySomewhere(runId: string, own: string, { executions }: Tools): Promise<boolean | undefined> {
  const arn = executionOfRun(own, runId);
  return arn === undefined ? undefined : (await executions.describe(arn))?.isRunning === true;
}

/** Whether an execution would be first in a session that both name: the other one is refused. */
export function begunBefore(own: KnownExecution): (other: KnownExecution) => boolean {
  return (other) => other.startedAt < own.startedAt || (other.startedAt === own.startedAt && other.arn < own.arn);
}

function worksIn(execution: KnownExecution, { session }: LoopSession): boolean {
  return execution.isRunning && sessionOf(execution.arn, execution.input, session.endpointName)?.session.id === session.id;
}

/** Whether an execution went on in somebody else's session, and never made its own. */
export function isGuest({ input }: KnownExecution): boolean {
  return givenSession(input) !== undefined;
}
