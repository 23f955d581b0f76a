import { ApiError } from './answers';

/**
 * The shape of a request's body. GitHub refuses fields that it does not know, and values of another type.
 *
 * A word is a type, with `!` if the field is required or `?` if it may be null; a list has the possible values; an object is an object.
 */
export interface Shape {
  readonly [field: string]: FieldShape;
}
type Word = 'string' | 'boolean' | 'integer' | 'string[]' | 'labels' | 'map';
type FieldShape = Word | `${Word}!` | `${Word}?` | readonly string[] | Shape;

export type Body = Readonly<Record<string, unknown>>;

/** Reads a body of this shape, or refuses it as GitHub does. */
export function bodyOf(bytes: Buffer, shape: Shape): Body {
  let body: unknown;
  try {
    body = bytes.length === 0 ? {} : JSON.parse(bytes.toString());
  } catch {
    throw new ApiError(400, 'Problems parsing JSON');
  }
  if (!isObject(body)) throw new ApiError(400, 'Body should be a JSON object');
  const problem = problemOf(body, shape, '');
  if (problem !== undefined) throw new ApiError(422, `Invalid request.\n\n${problem}`);
  return body;
}

function problemOf(body: Body, shape: Shape, path: string): string | undefined {
  for (const [field, expected] of Object.entries(shape)) {
    if (typeof expected === 'string' && expected.endsWith('!') && body[field] === undefined) return `"${field}" wasn't supplied.`;
  }
  for (const [field, value] of Object.entries(body)) {
    if (!Object.hasOwn(shape, field)) return `"${field}" is not a permitted key.`;
    const problem = valueProblem(value, shape[field], `${path}/${field}`);
    if (problem !== undefined) return `For 'properties${path}/${field}', ${problem}`;
  }
  return undefined;
}

function valueProblem(value: unknown, expected: FieldShape, path: string): string | undefined {
  const shown = value === null ? 'nil' : JSON.stringify(value).slice(0, 100);
  if (Array.isArray(expected)) return expected.includes(value) ? undefined : `${shown} is not a member of ${JSON.stringify(expected)}.`;
  if (typeof expected === 'object') return isObject(value) ? problemOf(value, expected as Shape, path) : `${shown} is not an object.`;
  if (value === null) return (expected as string).endsWith('?') ? undefined : `nil is not a ${(expected as string).replace(/\W+$/, '')}.`;
  const word = (expected as string).replace(/[!?]$/, '') as Word;
  return IS[word](value) ? undefined : `${shown} is not ${word === 'string[]' || word === 'labels' ? 'an array' : `a ${word}`}.`;
}

const isStrings = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string');
const IS: Readonly<Record<Word, (value: unknown) => boolean>> = {
  'string': (value) => typeof value === 'string',
  'boolean': (value) => typeof value === 'boolean',
  'integer': (value) => Number.isInteger(value),
  'string[]': isStrings,
  'labels': (value) => isStrings(value) && (value as unknown[]).length > 0,
  'map': (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'string'),
};

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
