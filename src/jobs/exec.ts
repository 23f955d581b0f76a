import { BedrockAgentCoreClient, InvokeAgentRuntimeCommandCommand, InvokeAgentRuntimeCommandStreamOutput } from '@aws-sdk/client-bedrock-agentcore';
import { ERRORS, LIMITS } from './constants';
import { SessionError, SilenceError, typedError } from './errors';

/** Which session of which runtime. */
export interface SessionAddress {
  readonly runtimeArn: string;
  /** Name of an endpoint; the runtime's default endpoint if it is absent. */
  readonly qualifier?: string;
  /** 33 to 100 characters. */
  readonly sessionId: string;
}

export interface ExecCall extends SessionAddress {
  readonly command: string;
  readonly timeoutSeconds: number;
  /** How long until the reply begins: a microVM may have to start first. */
  readonly replySeconds: number;
  /** The service, or something before it, drops connections that say nothing; ours say something every 20 seconds. */
  readonly silenceSeconds: number;
  /** Ends the call from our side, without an error. The command is not told. */
  readonly deadline: AbortSignal;
  /** Called when the session has begun to reply. */
  readonly onAnswer: () => void;
  readonly onStdout: (text: string) => void;
  readonly onStderr: (text: string) => void;
}

type Rule = readonly [broken: (address: SessionAddress) => boolean, message: (address: SessionAddress) => string];

/** Without a session id the SDK would make one up, and with it a session that nobody stops. */
export const ADDRESS_RULES: readonly Rule[] = [
  [({ runtimeArn }) => typeof runtimeArn !== 'string' || runtimeArn === '', () => '"runtimeArn" is missing'],
  [({ sessionId }) => typeof sessionId !== 'string' || sessionId.length < LIMITS.sessionId.min || sessionId.length > LIMITS.sessionId.max,
    ({ sessionId }) => `"sessionId" has ${String(sessionId ?? '').length} characters, ${LIMITS.sessionId.min} to ${LIMITS.sessionId.max} are needed`],
];

/** Fails before anything is sent. */
export function checkAddress(address: SessionAddress): void {
  const complaints = ADDRESS_RULES.filter(([broken]) => broken(address)).map(([, message]) => message(address));
  if (complaints.length > 0) throw new SessionError(ERRORS.VALIDATION, complaints.join('; '));
}

/** How a call ended that the service brought to its end. */
export interface ExecEnd {
  readonly exitCode: number;
  readonly status: string;
}

const HUNG_UP = Symbol('hung up');

/**
 * Runs one command in a session and hands on its output as it comes.
 *
 * Returns how it ended, or `undefined` if the deadline came first. Everything else is an error, above all a stream that
 * ends without `contentStop`: the SDK takes that for a normal end.
 */
export async function exec(client: BedrockAgentCoreClient, call: ExecCall): Promise<ExecEnd | undefined> {
  const connection = new AbortController();
  let begun = false;
  try {
    const response = await unless(call.deadline, call.replySeconds, client.send(new InvokeAgentRuntimeCommandCommand({
      agentRuntimeArn: call.runtimeArn,
      qualifier: call.qualifier,
      runtimeSessionId: call.sessionId,
      contentType: 'application/json',
      accept: 'application/vnd.amazon.eventstream',
      body: { command: call.command, timeout: call.timeoutSeconds },
    }), { abortSignal: connection.signal }));
    if (response === HUNG_UP) return undefined;
    begun = true;
    call.onAnswer();
    const events = response.stream![Symbol.asyncIterator]();
    for (;;) {
      const event = await unless(call.deadline, call.silenceSeconds, events.next());
      if (event === HUNG_UP) return undefined;
      if (event.done) throw new SessionError(ERRORS.STREAM_CUT, 'the stream ended without saying how the command ended');
      const end = handOn(event.value, call);
      if (end) return end;
    }
  } catch (thrown) {
    const error = typedError(thrown);
    // A container that has begun to answer can start: this is the end of its microVM, as some streams tell it.
    if (begun && error.name === ERRORS.CONTAINER) throw new SessionError(ERRORS.STREAM_CUT, error.summary, { cause: thrown, quote: error.message });
    throw error;
  } finally {
    connection.abort(); // closes the connection, also in the middle of a stream
  }
}

/**
 * Waits for what comes, but not beyond the deadline, and not in silence for longer than so many seconds.
 *
 * Not `Promise.race` with a promise of the deadline: that one would hold on to every event until it is settled.
 */
async function unless<T>(deadline: AbortSignal, seconds: number, coming: Promise<T>): Promise<T | typeof HUNG_UP> {
  let stop = () => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T | typeof HUNG_UP>((resolve, reject) => {
      coming.then(resolve, reject);
      stop = () => resolve(HUNG_UP);
      if (deadline.aborted) stop();
      deadline.addEventListener('abort', stop);
      timer = setTimeout(() => reject(new SilenceError(seconds)), seconds * 1_000);
    });
  } finally {
    clearTimeout(timer);
    deadline.removeEventListener('abort', stop);
  }
}

function handOn(event: InvokeAgentRuntimeCommandStreamOutput, call: ExecCall): ExecEnd | undefined {
  const delta = event.chunk?.contentDelta;
  if (delta?.stdout) call.onStdout(delta.stdout);
  if (delta?.stderr) call.onStderr(delta.stderr);
  const stop = event.chunk?.contentStop;
  if (stop) {
    if (stop.exitCode === undefined || stop.status === undefined) throw new SessionError(ERRORS.STREAM_CUT, 'the end of the command has no exit code');
    return { exitCode: stop.exitCode, status: stop.status };
  }
  // Exceptions in the stream are members of the event; the SDK throws those it knows.
  const exception = Object.values(event).find((member) => member instanceof Error);
  if (exception) throw exception;
  return undefined;
}
