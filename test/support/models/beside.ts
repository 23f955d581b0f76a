import { newId } from './answer';
import { isObject, Received, SideAnswer } from './wire';

/** The IDs of inference profiles of the system. */
const PROFILE = /^(apac|au|eu|global|jp|us|us-gov)\./;

/** Answers requests that are none of a model: probes, telemetry, lists of models. */
export function answerBeside(request: Received, models: readonly string[] = []): SideAnswer & { readonly known: boolean } {
  const { method, path, headers } = request;
  if (method === 'HEAD' || path === '/') {
    return { known: true, status: 200 };
  }
  if (method === 'POST' && path === '/v1/messages/count_tokens') {
    return { known: true, status: 200, body: { input_tokens: estimate(request.body) } };
  }
  if (method === 'POST' && /^\/model\/.+\/count-tokens$/.test(path)) {
    return { known: true, status: 200, body: { inputTokens: estimate(request.body) } };
  }
  if (method === 'GET' && path === '/inference-profiles') {
    return { known: true, status: 200, body: { inferenceProfileSummaries: models.filter((id) => PROFILE.test(id)).map(profile) } };
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

function profile(id: string) {
  return {
    inferenceProfileId: id,
    inferenceProfileArn: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${id}`,
    inferenceProfileName: id,
    status: 'ACTIVE',
    type: 'SYSTEM_DEFINED',
    models: [{ modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${id.replace(PROFILE, '')}` }],
  };
}
