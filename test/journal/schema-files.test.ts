import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemas, textOf } from '../../scripts/write-schemas';
import { RECORD_SCHEMA } from '../../src/loop/steps/constants';
import { schemaOf } from '../support/record-schema';

test('the files are those of the types, and have the version in their identifiers', () => {
  expect([...schemas().keys()]).toEqual(['run-record.schema.json', 'run-description.schema.json']);
  schemas().forEach((schema, file) => {
    expect(readFileSync(join(__dirname, '../../schema', file), 'utf8')).toBe(textOf(schema));
    expect(schemaOf(file.replace('.schema.json', ''))).toMatchObject({ $id: `urn:cdk-agentcore-workbench:${file.replace('.schema.json', '')}:${RECORD_SCHEMA}` });
  });
});
