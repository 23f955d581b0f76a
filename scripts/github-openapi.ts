/**
 * Writes test/forge/github-openapi.generated.json: GitHub's description of the operations of its API that the publisher uses, from the npm package
 * `@octokit/openapi`. The package is too large for a dependency, so it is unpacked beside the project.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '23.0.2';
const FILE = 'api.github.com.deref.json';
const OPERATIONS = [
  'GET /user',
  'POST /app/installations/{installation_id}/access_tokens',
  'GET /repos/{owner}/{repo}',
  'GET /repos/{owner}/{repo}/installation',
  'GET /repos/{owner}/{repo}/pulls',
  'POST /repos/{owner}/{repo}/pulls',
  'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/labels',
  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
  'POST /repos/{owner}/{repo}/check-runs',
  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'POST /repos/{owner}/{repo}/statuses/{sha}',
  'POST /repos/{owner}/{repo}/git/commits',
];

/** Words of a schema that validate nothing. */
const NOTES = new Set(['title', 'description', 'example', 'examples', 'default', 'externalDocs', 'deprecated', 'readOnly', 'xml', 'discriminator']);

type Schema = Readonly<Record<string, unknown>>;

/**
 * Converts a schema of OpenAPI 3.0 into one of JSON Schema.
 * - `nullable` is a type of its own in JSON Schema, and an `enum` or a composition beside it must allow null, too.
 * - An object takes no other fields than those that are described, so that an invented field is found. Parts of an `allOf` are left open: each of
 *   them describes a part of the fields.
 */
function schemaOf(schema: Schema, isPart = false): Schema {
  const { nullable, ...rest } = schema;
  const converted: Record<string, unknown> = {};
  for (const [word, value] of Object.entries(rest)) {
    if (NOTES.has(word) || word.startsWith('x-')) continue;
    if (word === 'properties') converted[word] = Object.fromEntries(Object.entries(value as Schema).map(([name, one]) => [name, schemaOf(one as Schema)]));
    else if (word === 'allOf' || word === 'anyOf' || word === 'oneOf') converted[word] = (value as Schema[]).map((one) => schemaOf(one, word === 'allOf'));
    else if (word === 'items' || word === 'not' || (word === 'additionalProperties' && typeof value === 'object')) converted[word] = schemaOf(value as Schema);
    else converted[word] = value;
  }
  if (converted.properties !== undefined && converted.additionalProperties === undefined && converted.allOf === undefined && !isPart) {
    // Branches of a composition beside the properties may only require some of them.
    converted.additionalProperties = false;
  }
  if (nullable !== true) return converted;
  if (converted.enum !== undefined && !(converted.enum as unknown[]).includes(null)) converted.enum = [...converted.enum as unknown[], null];
  if (typeof converted.type !== 'string') return { anyOf: [{ type: 'null' }, converted] };
  // A composition beside the type would still refuse null.
  if (['allOf', 'anyOf', 'oneOf', 'not'].some((word) => converted[word] !== undefined)) return { anyOf: [{ type: 'null' }, converted] };
  return { ...converted, type: [converted.type, 'null'] };
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

function contentOf({ content }: Content): Schema | undefined {
  const schema = content?.['application/json']?.schema;
  return schema === undefined ? undefined : schemaOf(schema);
}

interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: Schema }[];
  readonly requestBody?: Content & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Content>>;
}

function operationOf({ parameters = [], requestBody, responses }: Described) {
  return {
    parameters: parameters.map(({ name, in: place, required = false, schema }) => ({ name, in: place, required, schema: schemaOf(schema) })),
    ...requestBody === undefined ? {} : { body: { required: requestBody.required ?? false, schema: contentOf(requestBody) ?? {} } },
    responses: Object.fromEntries(Object.entries(responses).map(([status, response]) => [status, contentOf(response) ?? null])),
  };
}

/** Schemas that are there more than once, such as that of a user, are kept once: they are nine tenths of the description. */
function shared(value: unknown): { readonly value: unknown; readonly definitions: Readonly<Record<string, unknown>> } {
  const counts = new Map<string, number>();
  const count = (one: unknown) => {
    if (typeof one !== 'object' || one === null) return;
    const text = JSON.stringify(one);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    if (counts.get(text) === 1) Object.values(one).forEach(count);
  };
  count(value);
  const names = new Map<string, string>();
  const definitions: Record<string, unknown> = {};
  const isSchema = (one: object) => !Array.isArray(one) && 'properties' in one && 'type' in one;
  const replace = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return one;
    if (Array.isArray(one)) return one.map(replace);
    const inside = () => Object.fromEntries(Object.entries(one).map(([name, part]) => [name, replace(part)]));
    const text = JSON.stringify(one);
    if (text.length < 400 || (counts.get(text) ?? 0) < 2 || !isSchema(one)) return inside();
    if (!names.has(text)) {
      const name = `s${names.size + 1}`;
      names.set(text, name);
      definitions[name] = inside();
    }
    return { $ref: `github#/definitions/${names.get(text)}` };
  };
  return { value: replace(value), definitions };
}

const directory = mkdtempSync(join(tmpdir(), 'github-openapi-'));
try {
  execFileSync('npm', ['pack', '--silent', `@octokit/openapi@${VERSION}`, '--pack-destination', directory], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('tar', ['-xzf', `octokit-openapi-${VERSION}.tgz`, `package/generated/${FILE}`], { cwd: directory });
  const { paths } = JSON.parse(readFileSync(join(directory, 'package/generated', FILE), 'utf8')) as { readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>> };
  const operations = Object.fromEntries(OPERATIONS.map((name) => {
    const [method, path] = name.split(' ');
    return [name, operationOf(paths[path][method.toLowerCase()])];
  }));
  const { value, definitions } = shared(operations);
  const description = { '//': 'By scripts/github-openapi.ts', 'from': `@octokit/openapi@${VERSION}, ${FILE}`, 'operations': value, definitions };
  writeFileSync(join(__dirname, '../test/forge/github-openapi.generated.json'), `${JSON.stringify(description)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
