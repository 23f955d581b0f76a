import { LOOP_LIMITS } from './constants';
import { KnownExecution } from './executions';
import { executionOfRun, givenSession, LoopSession, runIdOf, sessionOf, stateMachineOf } from './sessions';
import { StepTools } from './step';
import { ERRORS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';

/**
 * The executions that use a session.
 *
 * Only Step Functions is asked: the agent could have written anything in the workspace. An execution uses a session while it runs, if it made
 * the session or its input names it.
 */

type Tools = Pick<StepTools, 'executions'>;

/** Returns the id of another run that is in progress in a session, if there is one. */
export async function occupantOf(
  session: LoopSession, own: string, { executions }: Tools, isBefore: (other: KnownExecution) => boolean = () => true,
): Promise<string | undefined> {
  const maker = await executions.describe(session.maker);
  if (maker !== undefined && maker.arn !== own && worksIn(maker, session)) return runIdOf(maker.arn);
  let asked = 0;
  // An execution that started before the session was made cannot be using it.
  for await (const arn of executions.running(stateMachineOf(own), maker?.startedAt ?? 0)) {
    if (arn === own || arn === session.maker) continue;
    if (asked++ >= LOOP_LIMITS.occupantsAsked) {
      throw new SessionError(ERRORS.THROTTLED, `more than ${LOOP_LIMITS.occupantsAsked} runs are in progress, so it is not known whether one of them is using the session`);
    }
    const other = await executions.describe(arn);
    if (other !== undefined && worksIn(other, session) && isBefore(other)) return runIdOf(arn);
  }
  return undefined;
}

/** Determines whether the run that a marker names is in progress there. The marker is a file: it proposes a name, and Step Functions decides. */
export async function isUnderWay(runId: string, session: LoopSession, own: string, { executions }: Tools): Promise<boolean> {
  const arn = executionOfRun(own, runId);
  const execution = arn === undefined ? undefined : await executions.describe(arn);
  return execution !== undefined && worksIn(execution, session);
}

/** The same for a workspace that all sessions share, whatever session the run is in. Undefined if the run is not one of this loop's. */
export async function isUnderWaySomewhere(runId: string, own: string, { executions }: Tools): Promise<boolean | undefined> {
  const arn = executionOfRun(own, runId);
  return arn === undefined ? undefined : (await executions.describe(arn))?.isRunning === true;
}

/** Returns a filter for executions that come first in a session that both inputs name: the later one is refused. */
export function begunBefore(own: KnownExecution): (other: KnownExecution) => boolean {
  return (other) => other.startedAt < own.startedAt || (other.startedAt === own.startedAt && other.arn < own.arn);
}

function worksIn(execution: KnownExecution, { session }: LoopSession): boolean {
  return execution.isRunning && sessionOf(execution.arn, execution.input, session.endpointName)?.session.id === session.id;
}

/** Determines whether an execution continued in a session of another one, and never made its own. */
export function isGuest({ input }: KnownExecution): boolean {
  return givenSession(input) !== undefined;
}
