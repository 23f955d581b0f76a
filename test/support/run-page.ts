import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Row {
  readonly types: readonly string[];
  readonly always: boolean;
  /** The path under which the fields of an object are described, if it is not the object's own path. */
  readonly as?: string;
}

/** The fields of a record by path, as described in docs/run.md. */
const ROWS: ReadonlyMap<string, Row> = new Map(
  readFileSync(join(__dirname, '../../docs/run.md'), 'utf8').split('\n## Record\n')[1].split('\n')
    .map((line) => /^\| `([^`]+)` \| (.*?)(?:, as `([^`]+)`)? \| (always)? *\|/.exec(line))
    .filter((match) => match !== null)
    .map(([, path, type, as, always]) => [path, {
      types: type.replace(/^list of (\w+)s$/, '$1').replaceAll('`', '').split(', '), always: always !== undefined, as,
    }]),
);

/** Returns where a record deviates from docs/run.md: undescribed fields, missing fields and fields of another type. */
export function deviationsOf(record: object, described = '', path = described): string[] {
  const known = [...ROWS].filter(([key]) => key.startsWith(described) && /^[^.]+$/.test(key.slice(described.length)))
    .map(([key, row]) => ({ ...row, key, name: key.slice(described.length).replace('[]', '') }));
  const missing = known.filter(({ always, name }) => always && !(name in record)).map(({ name }) => `${path}${name} is missing`);
  return [...missing, ...Object.entries(record).flatMap(([name, value]: [string, unknown]) => {
    const row = known.find((each) => each.name === name);
    if (row === undefined) return [`${path}${name} is not in docs/run.md`];
    if (row.key.endsWith('[]') !== Array.isArray(value)) return [`${path}${name} is ${JSON.stringify(value)}`];
    return [value].flat().flatMap((each) => {
      const type = each === null ? 'null' : typeof each;
      if (!row.types.includes(type) && !row.types.includes(String(each))) return [`${path}${name} is ${JSON.stringify(each)}`];
      return type === 'object' ? deviationsOf(each as object, `${row.as ?? row.key}.`, `${path}${name}.`) : [];
    });
  })];
}
