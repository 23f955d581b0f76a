import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { ApiReply, ApiRequest } from '../../rehearsal/forge';

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: object }[];
  readonly body?: { readonly required: boolean; readonly schema: object };
  /** Null if the answer has no content. */
  readonly responses: Readonly<Record<string, object | null>>;
}

interface Description {
  readonly from: string;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly definitions: object;
}

export const GITHUB: Description = JSON.parse(readFileSync(join(__dirname, '../forge/github-openapi.generated.json'), 'utf8'));

/** Refusals that GitHub describes only in part: any operation may have them. */
const GENERAL = [401, 403, 404, 422, 429];
const ERROR = {
  type: 'object',
  required: ['message'],
  additionalProperties: false,
  properties: { message: { type: 'string' }, documentation_url: { type: 'string' }, status: { type: 'string' }, errors: { type: 'array' }, url: { type: 'string' } },
};

/** Compares requests and answers with GitHub's own description of its API. */
export class GitHubOpenApi {
  /** Requests and answers that do not fit, with the reason. */
  readonly violations: string[] = [];
  /** The operations that were used. */
  readonly used = new Set<string>();
  private readonly bodies = new Ajv({ strict: false, allErrors: true });
  private readonly queries = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
  private readonly validators = new Map<object, ValidateFunction>();

  constructor() {
    for (const ajv of [this.bodies, this.queries]) {
      addFormats(ajv);
      // Formats of GitHub that no other validator knows.
      ajv.addFormat('repo.nwo', /^[^/]+\/[^/]+$/).addFormat('int64', { type: 'number', validate: Number.isSafeInteger }).addFormat('timestamp', true);
    }
    this.bodies.addSchema({ $id: 'github', definitions: GITHUB.definitions });
  }

  check(request: ApiRequest, { status, body }: ApiReply): void {
    const { pathname, searchParams } = new URL(request.path, 'http://127.0.0.1');
    if (pathname === '/api/graphql') return; // it has no description in OpenAPI
    const path = pathname.replace('/api/v3', '').replace(/^\/repositories\/\d+/, '/repos/octo/shop');
    const name = Object.keys(GITHUB.operations).find((one) => {
      const [method, template] = one.split(' ');
      return method === request.method && new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
    });
    if (name === undefined) return void this.violations.push(`${request.method} ${path}: there is no such operation`);
    this.used.add(name);
    const operation = GITHUB.operations[name];
    this.checkQuery(name, operation, searchParams);
    // What the server refuses is often wrong on purpose; the client's own requests are not.
    const isOurs = String(request.headers['user-agent']).startsWith('cdk-agentcore-workbench');
    if (isOurs) this.checkBody(name, operation, request.body);
    this.checkReply(name, operation, status, body);
  }

  private checkQuery(name: string, { parameters }: Operation, query: URLSearchParams): void {
    for (const [key, value] of query) {
      const parameter = parameters.find((one) => one.in === 'query' && one.name === key);
      if (parameter === undefined) this.violations.push(`${name}: the query has no "${key}"`);
      else this.validate(this.queries, `${name} ?${key}`, { type: 'object', properties: { value: parameter.schema } }, { value });
    }
  }

  private checkBody(name: string, { body }: Operation, bytes: Buffer): void {
    if (body === undefined) {
      if (bytes.length > 0) this.violations.push(`${name}: the request has no body`);
      return;
    }
    if (bytes.length > 0) this.validate(this.bodies, `${name} request`, body.schema, JSON.parse(bytes.toString()));
    else if (body.required) this.violations.push(`${name}: the request has a body`);
  }

  private checkReply(name: string, { responses }: Operation, status: number, body: string | undefined): void {
    const described = responses[status];
    if (status === 307 || status === 301) return; // a redirect is described for all operations in one place
    if (described === undefined && !GENERAL.includes(status)) return void this.violations.push(`${name}: the status ${status} is not described`);
    if (described === null) return;
    this.validate(this.bodies, `${name} ${status}`, status < 300 ? described! : ERROR, JSON.parse(body ?? ''));
  }

  private validate(ajv: Ajv, what: string, schema: object, value: unknown): void {
    const validator = this.validators.get(schema) ?? ajv.compile(schema);
    this.validators.set(schema, validator);
    if (!validator(value)) this.violations.push(...validator.errors!.map(({ instancePath, message, params }) => `${what}${instancePath}: ${message} ${JSON.stringify(params)}`));
  }
}
