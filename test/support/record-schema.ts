import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { ValidateFunction } from 'ajv';

const made = new Map<string, ValidateFunction>();

/** Reads a schema of the package. */
export function schemaOf(name: string): object {
  return JSON.parse(readFileSync(join(__dirname, `../../schema/${name}.schema.json`), 'utf8')) as object;
}

/** Refuses fields that are not described, which the published schema allows for later versions. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, closed(each)] as const);
  const isDescribed = 'properties' in value && 'type' in value && value.type === 'object' && !('additionalProperties' in value);
  return Object.fromEntries(isDescribed ? [...entries, ['additionalProperties', false] as const] : entries);
}

/** Returns the deviations of a value from a schema of the package. @param exact whether a field that is not described is a deviation, too */
export function deviationsFromSchema(name: 'run-record' | 'run-description', value: unknown, exact = true): string[] {
  const key = `${name} ${exact}`;
  const validate = made.get(key) ?? new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
    .compile((exact ? closed(schemaOf(name)) : schemaOf(name)) as object);
  made.set(key, validate);
  validate(JSON.parse(JSON.stringify(value)));
  return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath || 'the record'} ${message} ${JSON.stringify(params)}`);
}
