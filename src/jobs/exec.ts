import { BedrockAgentCoreClient, InvokeAgentRuntimeCommandCommand, InvokeAgentRuntimeCommandStreamOutput } from '@aws-sdk/client-bedrock-agentcore';
import { ERRORS } from './constants';
import { SessionError, SilenceError, typedError } from './errors';
import { SessionAddress } from './session-address';

export interface ExecCall extends SessionAddress {
  /** The run that the call belongs to, as W3C Baggage. */
  readonly baggage?: string;
  readonly command: string;
  readonly timeoutSeconds: number;
  /** The timeout of the first reply: a microVM may have to start first. */
  readonly replySeconds: number;
  /** The maximum silence. The service, or something in front of it, drops idle connections; a job's call prints something every 20 seconds. */
  readonly silenceSeconds: number;
  /** Ends the call from this side, without an error. The command does not notice. */
  readonly deadline: AbortSignal;
  /** Called when the session has begun to reply. */
  readonly onAnswer: () => void;
  readonly onStdout: (text: string) => void;
  readonly onStderr: (text: string) => void;
}

/** The end of a call, as the service reports it. */
export interface ExecEnd {
  readonly exitCode: number;
  readonly status: string;
}

const HUNG_UP = Symbol('hung up');

/**
 * Runs one command in a session and passes on its output as it arrives.
 *
 * Returns the end of the command, or `undefined` if the deadline came first. Everything else is an error, in particular a stream that ends without
 * `contentStop`, which the SDK takes for a normal end.
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
      baggage: call.baggage,
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
    // A container that has started to answer is running: some streams report the end of its microVM with this error.
    if (begun && error.name === ERRORS.CONTAINER) throw new SessionError(ERRORS.STREAM_CUT, error.summary, { cause: thrown, quote: error.message });
    throw error;
  } finally {
    connection.abort(); // closes the connection, also in the middle of a stream
  }
}

/**
 * Waits for a promise until the deadline, and for at most so many seconds.
 *
 * `Promise.race` with a promise of the deadline would keep every event in memory until the deadline is settled.
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
