import type { ServerResponse } from 'node:http';
import { newId } from './answer';
import type { Failure, Message, Part } from './script';
import { Headers, isObject, Received, sendJson, WireError } from './wire';

interface OpenAiError {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
}

const ERRORS: { readonly [failure in Failure]: OpenAiError } = {
  rateLimit: {
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: 'Rate limit reached for this model in organization org-1 on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.',
  },
  quota: {
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details. '
      + 'For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
  },
  overloaded: {
    status: 503,
    type: 'service_unavailable_error',
    code: 'server_is_overloaded',
    message: 'Our servers are currently overloaded. Please try again later.',
  },
  unauthorized: {
    status: 401,
    type: 'invalid_request_error',
    code: 'invalid_api_key',
    message: 'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
  },
  expired: {
    status: 401,
    type: 'invalid_request_error',
    code: 'token_expired',
    message: 'Your authentication token has expired. Please try signing in again.',
  },
  modelNotAllowed: {
    status: 403,
    type: 'invalid_request_error',
    code: 'model_not_found',
    message: 'Project `proj_1` does not have access to the model.',
  },
  modelUnknown: notFound(),
  modelRetired: notFound(),
  profileNeeded: notFound(),
  contextFull: {
    status: 400,
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
    message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
  },
  invalid: { status: 400, type: 'invalid_request_error', code: null, message: 'Invalid request.' },
  internal: {
    status: 500,
    type: 'server_error',
    code: 'server_error',
    message: 'The server had an error while processing your request. Sorry about that!',
  },
};

function notFound(model = 'model'): OpenAiError {
  return { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: `The model \`${model}\` does not exist or you do not have access to it.` };
}

export function errorBody(error: WireError) {
  const { type, code, message } = error.failure === 'modelUnknown' && error.message !== '' ? notFound(error.message) : ERRORS[error.failure];
  return { message: error.failure === 'modelUnknown' ? message : error.message || message, type, param: null, code };
}

export function sendOpenAiError(response: ServerResponse, error: WireError): void {
  const after: Headers = error.retryAfter === undefined ? {} : { 'retry-after': `${error.retryAfter}` };
  sendJson(response, ERRORS[error.failure].status, { error: errorBody(error) }, { ...requestId(), ...after });
}

const SIGNATURE = /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)\/\d{8}\/[a-z0-9-]+\/bedrock(-mantle)?\/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}$/;

export function openAiCredential({ headers }: Received): string {
  const authorization = headers.authorization ?? '';
  // The same API on Amazon Bedrock takes signatures too.
  const key = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? SIGNATURE.exec(authorization)?.[1];
  if (!key) {
    throw new WireError('unauthorized', 'You didn\'t provide an API key. You need to provide your API key in an Authorization header using Bearer auth.');
  }
  return key;
}

export function requestId(): Headers {
  return { 'x-request-id': newId('req_') };
}

export function startEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...requestId() });
}

/** Returns the text of a content: a text, or parts that have one. */
export function contentText(content: unknown): string {
  if (!Array.isArray(content)) {
    return typeof content === 'string' ? content : '';
  }
  return content.map((part) => isObject(part) ? String(part.text ?? part.refusal ?? '') : '').filter((text) => text !== '').join('\n');
}

export function textParts(content: unknown): Part[] {
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  return parts.map((part) => contentText([typeof part === 'string' ? { text: part } : part])).filter((text) => text !== '').map((text) => ({ type: 'text', text }));
}

/** Returns the role of a message. What developers and systems say is one. */
export function roleOf(role: unknown): Message['role'] | undefined {
  return role === 'developer' || role === 'system' ? 'system' : role === 'user' || role === 'assistant' ? role : undefined;
}

/** Returns the input of a call: the text of plain tools, or what the JSON means. */
export function inputOf(json: unknown): unknown {
  try {
    return JSON.parse(String(json));
  } catch {
    return json;
  }
}
