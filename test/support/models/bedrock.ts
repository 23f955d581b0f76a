import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { EventStreamCodec } from '@smithy/core/event-streams';
import type { Failure } from './script';
import { Headers, invalid, Received, sendJson, WireError } from './wire';

const BEDROCK_ERRORS: { readonly [failure in Failure]: { readonly status: number; readonly type: string; readonly message: string } } = {
  rateLimit: { status: 429, type: 'ThrottlingException', message: 'Too many requests, please wait before trying again.' },
  quota: { status: 429, type: 'ThrottlingException', message: 'Too many tokens per day, please wait before trying again.' },
  overloaded: { status: 503, type: 'ServiceUnavailableException', message: 'Bedrock is unable to process your request.' },
  unauthorized: { status: 403, type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' },
  expired: { status: 403, type: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
  modelNotAllowed: { status: 403, type: 'AccessDeniedException', message: 'You don\'t have access to the model with the specified model ID.' },
  modelUnknown: { status: 400, type: 'ValidationException', message: 'The provided model identifier is invalid.' },
  modelRetired: {
    status: 404,
    type: 'ResourceNotFoundException',
    message: 'This model version has reached the end of its life. Please refer to the AWS documentation for more details.',
  },
  profileNeeded: { status: 400, type: 'ValidationException', message: 'Invocation of this model with on-demand throughput isn’t supported.' },
  contextFull: { status: 400, type: 'ValidationException', message: 'Input is too long for requested model.' },
  invalid: { status: 400, type: 'ValidationException', message: 'Malformed input request, please reformat your input and try again.' },
  internal: {
    status: 500,
    type: 'InternalServerException',
    message: 'The system encountered an unexpected error during processing. Try your request again.',
  },
};

/** Errors that the service may send within a stream. All others end it before. */
const STREAM_ERRORS = ['InternalServerException', 'ModelStreamErrorException', 'ServiceUnavailableException', 'ThrottlingException', 'ValidationException'];

const SIGNATURE = /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)\/\d{8}\/[a-z0-9-]+\/bedrock\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/** The ID of a model or an inference profile, or an ARN. */
const MODEL_ID = /^(arn:aws[a-z-]*:(bedrock|sagemaker):[a-z0-9-]+:(\d{12})?:[a-z-]+\/[a-zA-Z0-9.:_-]+|([a-z-]+\.)?[a-z0-9-]+\.[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*(:[a-z0-9]+)*)$/;

/** Models of Anthropic that were there before inference profiles. All later ones need one. */
const OLDER = /^anthropic\.claude-(v2|instant|3-(haiku|sonnet|opus|5))/;

const codec = new EventStreamCodec((bytes) => Buffer.from(bytes).toString('utf8'), (text) => Buffer.from(text, 'utf8'));

/** Determines whether a request is an operation of Bedrock Runtime on a model. */
export function isOperation({ method, path }: Received, operations: readonly string[]): boolean {
  return method === 'POST' && path.startsWith('/model/') && operations.includes(path.slice(path.lastIndexOf('/') + 1));
}

export function bedrockCredential({ headers }: Received): string {
  const authorization = headers.authorization ?? '';
  const bearer = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (bearer) {
    return bearer;
  }
  const [, key, signed] = SIGNATURE.exec(authorization) ?? [];
  if (!key) {
    throw new WireError('unauthorized', authorization === '' ? 'Missing Authentication Token' : 'Authorization header is malformed.');
  }
  if (!signed.split(';').includes('host') || !headers['x-amz-date']) {
    throw new WireError('unauthorized', '\'Host\' or \':authority\' must be a \'SignedHeader\' in the AWS Authorization.');
  }
  if (key.startsWith('ASIA') && !headers['x-amz-security-token']) {
    throw new WireError('unauthorized');
  }
  return key;
}

/** Returns the ID of the model in the path. */
export function bedrockModel({ path }: Received): string {
  const model = decodeURIComponent(path.slice('/model/'.length, path.lastIndexOf('/')));
  if (!MODEL_ID.test(model)) {
    throw new WireError('modelUnknown');
  }
  if (model.startsWith('anthropic.') && !OLDER.test(model)) {
    throw new WireError('profileNeeded', `Invocation of model ID ${model} with on-demand throughput isn’t supported. `
      + 'Retry your request with the ID or ARN of an inference profile that contains this model.');
  }
  return model;
}

export function requireJson({ headers, body }: Received): void {
  // The type has a default: some clients leave it out, or send that of any bytes.
  const type = headers['content-type'] ?? 'application/json';
  if (typeof body !== 'object' || body === null || !/^application\/(json|octet-stream)\b/.test(type)) {
    invalid('Malformed input request, please reformat your input and try again.');
  }
}

export function sendBedrockError(response: ServerResponse, error: WireError): void {
  const { status, type, message } = BEDROCK_ERRORS[error.failure];
  const missing = error.message === 'Missing Authentication Token';
  const after: Headers = error.retryAfter === undefined ? {} : { 'retry-after': `${error.retryAfter}` };
  sendJson(response, status, { message: errorMessage(error) || message }, {
    ...requestId(),
    'x-amzn-errortype': missing ? 'MissingAuthenticationTokenException' : `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
    ...after,
  });
}

/** An unknown model is not named by the service. */
const errorMessage = (error: WireError) => error.failure === 'modelUnknown' ? '' : error.message;

export function startEventStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-bedrock-content-type': 'application/json', ...requestId() });
}

export function sendFrame(response: ServerResponse, name: string, payload: unknown, type: 'event' | 'exception' = 'event'): void {
  response.write(codec.encode({
    headers: {
      [`:${type}-type`]: { type: 'string', value: name },
      ':content-type': { type: 'string', value: 'application/json' },
      ':message-type': { type: 'string', value: type },
    },
    body: Buffer.from(JSON.stringify(payload), 'utf8'),
  }));
}

export function sendExceptionFrame(response: ServerResponse, error: WireError): void {
  const found = BEDROCK_ERRORS[error.failure];
  const type = STREAM_ERRORS.includes(found.type) ? found.type : 'ModelStreamErrorException';
  sendFrame(response, type.charAt(0).toLowerCase() + type.slice(1), { message: error.message || found.message }, 'exception');
  response.end();
}

export function requestId(): Headers {
  return { 'x-amzn-requestid': randomUUID() };
}
