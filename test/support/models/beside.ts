import { newId } from './answer';
import { isObject, Received, SideAnswer } from './wire';

/** Answers requests that are none of a model: probes, telemetry, lists of models. */
export function answerBeside(request: Received, models: readonly string[] = []): SideAnswer & { readonly known: boolean } {
  const { method, path, headers } = request;
  if (method === 'HEAD' || path === '/') {
    return { known: true, status: 200 };
  }
  if (method === 'POST' && path === '/v1/messages/count_tokens') {
    return { known: true, status: 200, body: { input_tokens: estimate(request.body) } };
  }
  const anthropic = 'anthropic-version' in headers;
  if (method === 'GET' && path === '/v1/models') {
    const data = models.map((id) => anthropic
      ? { type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }
      : { object: 'model', id, created: 1_767_225_600, owned_by: 'system' });
    const body = anthropic ? { data, has_more: false, first_id: models.at(0) ?? null, last_id: models.at(-1) ?? null } : { object: 'list', data };
    return { known: true, status: 200, body };
  }
  const message = `Not found: ${method} ${path}`;
  return {
    known: false,
    status: 404,
    body: anthropic
      ? { type: 'error', error: { type: 'not_found_error', message }, request_id: newId('req_') }
      : { error: { message, type: 'invalid_request_error', param: null, code: null } },
  };
}

/** Estimates tokens as people do: four characters are one. */
export function estimate(body: unknown): number {
  const { messages, system, tools } = isObject(body) ? body : {};
  return Math.ceil(JSON.stringify([messages, system, tools]).length / 4);
}
