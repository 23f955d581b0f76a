import type { AwsReply, AwsRequest, RefusalOf } from './request';
import type { FunctionOutcome } from '../lambda';

/** The maximum payloads of synchronous and asynchronous invocations, in bytes, and that of an answer (Lambda quotas). */
const BYTES = { RequestResponse: 6_291_456, Event: 1_048_576, answer: 6_291_556 } as const;

const PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations\/?(?:\?(.*))?$/;

export interface InvokeProps {
  readonly region: string;
  readonly account: string;
  /** Returns the logical ID of a function by its name. */
  readonly find: (name: string) => string | undefined;
  readonly invoke: (logicalId: string, event: unknown) => Promise<FunctionOutcome>;
}

/** Answers Lambda's `Invoke` in its wire format. Returns `undefined` for any other request. */
export function answerInvoke({ method, path, invocationType = 'RequestResponse', body }: AwsRequest, props: InvokeProps, refusal: RefusalOf): Promise<AwsReply> | undefined {
  const [, encoded, query] = (method === 'POST' ? PATH.exec(path) : undefined) ?? [];
  if (encoded === undefined) return undefined;
  // A name, or a whole or partial ARN, with a qualifier or without.
  const [, name, suffix] = /^(?:(?:arn:[^:]+:lambda:[^:]*:)?(?:\d{12}:)?(?:function:)?)([A-Za-z0-9_-]+)(?::([A-Za-z0-9$_-]+))?$/.exec(decodeURIComponent(encoded)) ?? [];
  if (name === undefined) return Promise.resolve(failure(400, 'ValidationException', `not the name of a function: ${decodeURIComponent(encoded)}`));
  const qualifier = new URLSearchParams(query).get('Qualifier') ?? suffix;
  return invoke({ name, qualifier, invocationType, body }, props, refusal);
}

interface Invocation {
  readonly name: string;
  readonly qualifier?: string;
  readonly invocationType: string;
  readonly body: Buffer;
}

async function invoke({ name, qualifier, invocationType, body }: Invocation, props: InvokeProps, refusal: RefusalOf): Promise<AwsReply> {
  const arn = `arn:aws:lambda:${props.region}:${props.account}:function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`;
  const refused = refusal('lambda:InvokeFunction', arn);
  if (refused !== undefined) return failure(403, 'AccessDeniedException', refused);
  const logicalId = props.find(name);
  if (logicalId === undefined) return failure(404, 'ResourceNotFoundException', `Function not found: ${arn}`);
  const limit = invocationType === 'Event' ? BYTES.Event : BYTES.RequestResponse;
  if (body.length > limit) return failure(413, 'RequestTooLargeException', `Request must be smaller than ${limit} bytes for the InvokeFunction operation`);
  let event: unknown;
  try {
    event = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch (error) {
    return failure(400, 'InvalidRequestContentException', `Could not parse request body into json: ${(error as Error).message}`);
  }
  if (invocationType === 'DryRun') return { status: 204 };
  const ended = props.invoke(logicalId, event);
  if (invocationType === 'Event') {
    ended.catch(() => undefined); // nobody waits for it
    return { status: 202 };
  }
  return replyOf(await ended);
}

function replyOf(outcome: FunctionOutcome): AwsReply {
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  const failed = (body: unknown) => ({ status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body });
  if ('failure' in outcome) return failed(outcome.failure);
  if (Buffer.byteLength(JSON.stringify(outcome.result)) <= BYTES.answer) return { status: 200, headers, body: outcome.result };
  return failed({ errorType: 'Function.ResponseSizeTooLarge', errorMessage: `Response payload size exceeded maximum allowed payload size (${BYTES.answer} bytes).` });
}

function failure(status: number, type: string, message: string): AwsReply {
  return { status, headers: { 'content-type': 'application/json', 'x-amzn-errortype': type }, body: { Type: 'User', Message: message } };
}
