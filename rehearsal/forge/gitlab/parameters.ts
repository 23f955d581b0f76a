import { ApiError } from './answers';

/**
 * The parameters of an operation, in its query or its body.
 *
 * A word is a type, with `!` if the parameter is required; a list has the possible values.
 */
export interface Parameters {
  readonly [name: string]: Word | `${Word}!` | readonly string[];
}
type Word = 'string' | 'boolean' | 'integer' | 'integer[]' | 'date';

export type Values = Readonly<Record<string, unknown>>;

/** Reads the parameters of a request. Unlike GitLab, which ignores what it does not know, the emulation refuses that. */
export function valuesOf(query: URLSearchParams, body: Buffer, type: string | undefined, expected: Parameters): Values {
  const values: Record<string, unknown> = { ...bodyOf(body, type) };
  for (const [name, value] of query) values[name] = expected[name] === 'integer' && /^\d+$/.test(value) ? Number(value) : value;
  const problems = [
    ...Object.keys(values).filter((name) => !Object.hasOwn(expected, name)).map((name) => `${name} is not a known parameter`),
    ...Object.entries(expected).flatMap(([name, shape]) => problemOf(name, values[name], shape)),
  ];
  if (problems.length > 0) throw new ApiError(400, { error: problems.join(', ') });
  return values;
}

function bodyOf(bytes: Buffer, type: string | undefined): Values {
  if (bytes.length === 0) return {};
  if (!/^application\/json\b/.test(type ?? '')) throw new ApiError(415, { error: `The provided content-type '${type}' is not supported.` });
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  } catch {
    // It is refused below.
  }
  throw new ApiError(400, { error: 'The request body is not valid JSON.' });
}

function problemOf(name: string, value: unknown, shape: Parameters[string]): string[] {
  if (Array.isArray(shape)) return value === undefined || shape.includes(value) ? [] : [`${name} does not have a valid value`];
  const [word, isRequired] = [(shape as string).replace('!', '') as Word, (shape as string).endsWith('!')];
  if (value === undefined) return isRequired ? [`${name} is missing`] : [];
  if (value === '' && isRequired) return [`${name} is empty`];
  return IS[word](value) ? [] : [`${name} is invalid`];
}

const IS: Readonly<Record<Word, (value: unknown) => boolean>> = {
  'string': (value) => typeof value === 'string',
  'date': (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  'boolean': (value) => typeof value === 'boolean',
  'integer': (value) => Number.isInteger(value),
  'integer[]': (value) => Array.isArray(value) && value.every(Number.isInteger),
};
