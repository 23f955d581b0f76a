import { BedrockAgentCoreClient, StopRuntimeSessionCommand } from '@aws-sdk/client-bedrock-agentcore';
import { ERRORS } from './constants';
import { isTransient, SessionError, typedError } from './errors';
import { checkAddress, SessionAddress } from './session-address';
import { Clock } from '../handler/clock';

/** Waits after 1, 2, 4, 8, 16 and 32 times the back-off, 63 s in all; a session's teardown takes up to 15 s. */
const TRIES = 6;

/** The timeout of one try, which is repeated if there is no answer. The SDK itself has no timeout. */
const TRY_SECONDS = 20;

export interface StopResult {
  /** `ALREADY_STOPPED`: the service says that there is no such session, which never began or had ended by itself. */
  readonly status: 'STOPPED' | 'ALREADY_STOPPED';
  readonly sessionId: string;
}

/**
 * Determines whether the session does not exist, rather than the runtime or the endpoint: the service has one exception for all of
 * them, and only its message tells. Seen of runtimes and endpoints: "No endpoint or agent found with qualifier 'DEFAULT' for agent 'arn:…'".
 * Documented of sessions: "Session not found or already terminated". What says neither is not taken for a session that has ended.
 */
function missesSession(error: SessionError, { sessionId, runtimeArn, qualifier = 'DEFAULT' }: SessionAddress): boolean {
  // Names may contain any of the words.
  const names = [[sessionId, '<session>'], [runtimeArn, ''], [runtimeArn.split('/').pop()!, ''], [qualifier, '']];
  const said = names.reduce((text, [name, word]) => text.split(name).join(word), (error.cause as Error).message);
  return /session/i.test(said) && !/\b(endpoint|qualifier|no agent|agent (runtime )?(was )?not found)\b/i.test(said);
}

/** Stops a session and waits until the service says so. One that is gone is stopped; one in transition is waited for. */
export async function stopSession(
  client: BedrockAgentCoreClient, session: SessionAddress, clock: Clock, backoffSeconds: number,
): Promise<StopResult> {
  checkAddress(session);
  for (let failures = 0; ; failures++) {
    try {
      await client.send(new StopRuntimeSessionCommand({
        agentRuntimeArn: session.runtimeArn,
        qualifier: session.qualifier,
        runtimeSessionId: session.sessionId,
      }), { abortSignal: AbortSignal.timeout(TRY_SECONDS * 1_000) });
      return { status: 'STOPPED', sessionId: session.sessionId };
    } catch (thrown) {
      const error = typedError(thrown);
      if (error.name === ERRORS.NOT_FOUND && missesSession(error, session)) return { status: 'ALREADY_STOPPED', sessionId: session.sessionId };
      if (!isTransient(error) || failures >= TRIES) throw error;
      await clock.sleep(backoffSeconds * 2 ** failures);
    }
  }
}
