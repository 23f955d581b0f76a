import type { ServerResponse } from 'node:http';
import { newId } from './answer';
import { anthropicEvents, anthropicMessage, endEvents } from './anthropic-answer';
import { parseAnthropic } from './anthropic-request';
import type { Failure } from './script';
import { Headers, invalid, isObject, Received, sendJson, WireError, WireFormat } from './wire';

const ERRORS: { readonly [failure in Failure]: { readonly status: number; readonly type: string; readonly message: string } } = {
  rateLimit: {
    status: 429,
    type: 'rate_limit_error',
    message: 'This request would exceed your organization\'s rate limit of 50 requests per minute. Please reduce the number of requests.',
  },
  quota: {
    status: 400,
    type: 'invalid_request_error',
    message: 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  },
  overloaded: { status: 529, type: 'overloaded_error', message: 'Overloaded' },
  unauthorized: { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
  expired: { status: 401, type: 'authentication_error', message: 'OAuth token has expired. Please obtain a new token or refresh your existing token.' },
  modelNotAllowed: { status: 403, type: 'permission_error', message: 'Your API key does not have permission to use the specified resource.' },
  modelUnknown: { status: 404, type: 'not_found_error', message: 'model: unknown' },
  modelRetired: { status: 404, type: 'not_found_error', message: 'model: unknown' },
  profileNeeded: { status: 404, type: 'not_found_error', message: 'model: unknown' },
  contextFull: { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 215000 tokens > 200000 maximum' },
  invalid: { status: 400, type: 'invalid_request_error', message: 'Invalid request.' },
  internal: { status: 500, type: 'api_error', message: 'Internal server error' },
};

function errorBody(error: WireError) {
  const { type, message } = ERRORS[error.failure];
  const text = error.failure === 'modelUnknown' && error.message !== '' ? `model: ${error.message}` : error.message || message;
  return { type: 'error', error: { type, message: text }, request_id: newId('req_') };
}

export const anthropic: WireFormat = {
  wire: 'anthropic',

  matches: ({ method, path }) => method === 'POST' && path === '/v1/messages',

  credential({ headers }: Received): string {
    const key = headers['x-api-key'];
    const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    const credential = typeof key === 'string' && key !== '' ? key : bearer;
    if (!credential) {
      throw new WireError('unauthorized', 'x-api-key header is required');
    }
    return credential;
  },

  parse({ headers, body }: Received) {
    if (headers['anthropic-version'] !== '2023-06-01') {
      invalid('anthropic-version: header is required');
    }
    if (!headers['content-type']?.startsWith('application/json') || !isObject(body)) {
      invalid('The request body is not valid JSON.');
    }
    const betas = String(headers['anthropic-beta'] ?? '').split(',').filter((beta) => beta !== '');
    return parseAnthropic(body, { betas, model: body.model, stream: body.stream, extra: ['model', 'stream'] });
  },

  sendError(response: ServerResponse, error: WireError): void {
    const body = errorBody(error);
    const after: Headers = error.retryAfter === undefined ? {} : { 'retry-after': `${error.retryAfter}` };
    sendJson(response, ERRORS[error.failure].status, body, { 'request-id': body.request_id, ...after });
  },

  send(response, answer, { model }): void {
    sendJson(response, 200, anthropicMessage(answer, model), { 'request-id': newId('req_') });
  },

  streamBlocks(response, answer, { model }): void {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', 'request-id': newId('req_') });
    anthropicEvents(answer, model).forEach((event) => sendEvent(response, event));
  },

  streamEnd(response, answer): void {
    endEvents(answer).forEach((event) => sendEvent(response, event));
    response.end();
  },

  streamError(response, error): void {
    sendEvent(response, errorBody(error));
    response.end();
  },
};

function sendEvent(response: ServerResponse, event: { readonly type: string }): void {
  response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}
