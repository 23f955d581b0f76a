/**
 * Writes the JSON Schemas of the package, from the types that the handlers and the command line are compiled with:
 * - `schema/run-record.schema.json`: a run's record, which is the output of its execution
 * - `schema/run-description.schema.json`: what the command line prints with `--json`
 *
 * Fields of later versions are allowed, so that a schema stays good for newer records of the same first number.
 *
 * Usage: write-schemas.ts
 */
import { mkdirSync, writeFileSync } from 'fs';
import { join } from 'path';
import { createGenerator, Schema } from 'ts-json-schema-generator';
import { AGENT_ERRORS } from '../src/agent/constants';
import { ERRORS } from '../src/jobs/constants';
import { FORGE_ERRORS, LOOP_ERRORS, OUTCOMES, RECORD_SCHEMA } from '../src/loop/steps/constants';

const ROOT = join(__dirname, '..');

/** Names of errors that are not the loop's own: an agent that reports with a task token chooses them. */
const OF_AN_AGENT = '^(?!CodingLoop\\.|Workbench\\.|States\\.|Lambda\\.)[A-Za-z][A-Za-z0-9._-]{0,99}$';

const SCHEMAS = [
  { name: 'run-record', type: 'RunRecord', path: 'src/loop/steps/records.ts', title: 'The record of a run of a CodingLoop' },
  { name: 'run-description', type: 'PrintedRun', path: 'src/journal/run-description.ts', title: 'A run, as the command line prints it with --json' },
] as const;

interface Definitions {
  readonly [name: string]: Schema;
}

/** Returns the schemas by the names of their files. */
export function schemas(): ReadonlyMap<string, Schema> {
  return new Map(SCHEMAS.map(({ name, type, path, title }) => {
    const { definitions, ...schema } = createGenerator({
      path: join(ROOT, path),
      type,
      tsconfig: join(ROOT, 'tsconfig.dev.json'),
      skipTypeCheck: true,
      additionalProperties: true,
      topRef: true,
    }).createSchema(type);
    const { $schema, ...rest } = schema;
    return [`${name}.schema.json`, { $schema, $id: `urn:cdk-agentcore-workbench:${name}:${RECORD_SCHEMA}`, title, ...rest, definitions: withRules(definitions as Definitions) }];
  }));
}

/** Adds what the types do not say: the outcomes, and the fields that go with them. */
function withRules(definitions: Definitions): Definitions {
  const record = definitions.RunRecord;
  const errors = [...new Set([LOOP_ERRORS, FORGE_ERRORS, ERRORS, AGENT_ERRORS].flatMap((names) => Object.values<string>(names)))].sort();
  const outcome = record.properties!.outcome as Schema;
  const schemaVersion = record.properties!.schemaVersion as Schema;
  const when = (value: string, then: Schema): Schema => ({ if: { properties: { outcome: { const: value } } }, then });
  return {
    ...definitions,
    RunRecord: {
      ...record,
      properties: {
        ...record.properties,
        outcome: { ...outcome, anyOf: [{ enum: Object.values(OUTCOMES) }, { enum: errors }, { pattern: OF_AN_AGENT }] },
        schemaVersion: { ...schemaVersion, pattern: `^${RECORD_SCHEMA.split('.')[0]}\\.\\d+$` },
      },
      allOf: [
        when(OUTCOMES.COMMITTED, { required: ['commit'], properties: { error: false } }),
        when(OUTCOMES.NO_CHANGES, { properties: { commit: false, error: false } }),
        { if: { not: { properties: { outcome: { enum: Object.values(OUTCOMES) } } } }, then: { required: ['error'], properties: { commit: false } } },
      ],
    },
  };
}

/** Returns the text of a schema's file. */
export function textOf(schema: Schema): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

if (require.main === module) {
  mkdirSync(join(ROOT, 'schema'), { recursive: true });
  schemas().forEach((schema, file) => writeFileSync(join(ROOT, 'schema', file), textOf(schema)));
}
