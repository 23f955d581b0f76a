/**
 * Writes docs/run.md: the fields of a run's input and record, from the types that the handlers are compiled with, and the rules that
 * they check an input against. Fails if a field has no docstring.
 *
 * Usage: write-run-page.ts
 */
import { writeFileSync } from 'fs';
import { join } from 'path';
import * as ts from 'typescript';
import { INPUT_FIELDS, RULES } from '../src/loop/steps/input';

const RECORDS = join(__dirname, '../src/loop/steps/records.ts');
export const PAGE = join(__dirname, '../docs/run.md');

export interface Field {
  /** The field's path, such as `gates[].name`. */
  readonly path: string;
  readonly type: string;
  readonly optional: boolean;
  readonly docs: string;
}

let program: ts.Program | undefined;

/** Returns all fields of an interface of `records.ts`, including those of nested objects. */
export function fieldsOf(name: string): Field[] {
  program ??= ts.createProgram([RECORDS], {
    strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: ['node'],
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(RECORDS)!;
  const declaration = source.statements.filter(ts.isInterfaceDeclaration).find((each) => each.name.text === name);
  if (declaration === undefined) throw new Error(`${RECORDS} has no interface ${name}`);
  return propertiesOf(checker, checker.getTypeAtLocation(declaration), '', new Map());
}

/** @param seen the path at which each interface is described first */
function propertiesOf(checker: ts.TypeChecker, type: ts.Type, parent: string, seen: Map<ts.Type, string>): Field[] {
  return checker.getPropertiesOfType(type).flatMap((symbol) => {
    const optional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
    const declared = checker.getNonNullableType(checker.getTypeOfSymbol(symbol));
    const element = checker.isArrayType(declared) ? checker.getTypeArguments(declared as ts.TypeReference)[0] : undefined;
    const inner = element ?? declared;
    const path = `${parent}${symbol.name}${element === undefined ? '' : '[]'}`;
    const docs = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim();
    if (docs === '') throw new Error(`"${path}" has no docstring: describe it in ${RECORDS}`);
    const isObject = (inner.flags & ts.TypeFlags.Object) !== 0 || inner.isIntersection();
    const withNull = checker.getTypeOfSymbol(symbol);
    const before = seen.get(inner);
    if (isObject && before === undefined) seen.set(inner, path);
    const as = isObject && before !== undefined ? `, as ${before}` : '';
    const text = isObject ? 'object' : checker.typeToString(element ?? (optional ? declared : withNull), undefined, ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias);
    return [
      { path, type: `${element === undefined ? text : `list of ${text}s`}${as}`, optional, docs },
      ...(isObject && before === undefined ? propertiesOf(checker, inner, `${path}.`, seen) : []),
    ];
  });
}

/** Returns the rules of each field. Throws if the handlers do not know a field that the type has. */
function rulesOf(fields: readonly Field[]): ReadonlyMap<string, string> {
  const read = fields.map(({ path }) => path);
  const checked = Object.entries(INPUT_FIELDS).flatMap(([parent, names]) => names.map((name) => (parent === 'input' ? name : `${parent}.${name}`)));
  const unchecked = read.filter((path) => !checked.includes(path));
  if (unchecked.length > 0) throw new Error(`INPUT_FIELDS lacks ${unchecked.join(', ')}`);
  return new Map(checked.map((path) => [path, RULES.filter(({ field }) => field === path).map(({ message }) => message).join('; ')]));
}

const cell = (text: string) => text.replaceAll('|', '\\|');
const code = (type: string) => (/^(list of )?(object|string|number|boolean)s?(, as \S+)?$/.test(type) ? type.replace(/(?<=, as )\S+/, '`$&`') : type.split(' | ').map((word) => (word.startsWith('"') ? `\`${word.slice(1, -1)}\`` : word)).join(', '));

/** Returns the content of the page. */
export function runPage(): string {
  const input = fieldsOf('LoopInput');
  const rules = rulesOf(input);
  const ignored = INPUT_FIELDS.session.filter((name) => !input.some(({ path }) => path === `session.${name}`));
  return `<!-- Written by scripts/write-run-page.ts from src/loop/steps/records.ts and src/loop/steps/input.ts: change those, and run "npx projen docs:run". -->
# A run's input and record

This page lists the fields that the handlers of a \`CodingLoop\` check and write. [coding-loop.md](coding-loop.md) describes what a run does.

## Input
The input of an execution of the loop's state machine:

\`\`\`json
{ "taskId": "SHOP-7", "prompt": "Round prices half up.", "repository": { "url": "https://git.example.com/shop.git", "ref": "main" } }
\`\`\`
If the input is wrong, the run fails with \`CodingLoop.BadInput\` before it starts anything. The message names every wrong field, including fields that are not in this table.

| field | type | | description | error message |
|---|---|---|---|---|
${input.map(({ path, type, optional, docs }) => `| \`${path}\` | ${cell(code(type))} | ${optional ? '' : 'required'} | ${cell(docs)} | ${cell(rules.get(path)!)} |`).join('\n')}

A \`prompt\` must also fit into the part of a state's 256 KiB that the loop's gates and commands leave: 200 KiB or a little less; the message says how many bytes. \`session\` may have all fields
that it has in a record: ${ignored.map((name) => `\`${name}\``).join(', ')} are ignored. Step Functions itself adds \`AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID\` if another execution started the run.

## Record
The output of an execution that succeeded, or, as JSON, the cause of one that failed. A refused run has a record too. In a rehearsal, this record is the \`output\` of what \`rehearse --json\` prints.

A field that is not marked "always" is missing if it does not apply. A field of an optional object that is marked "always" is present whenever that object is. A cause has at most 32,768 characters, so a longer
record omits \`feedback\`.

The package contains a JSON Schema of the record, \`cdk-agentcore-workbench/schema/run-record.schema.json\`, and one of what \`--json\` prints, \`run-description.schema.json\` beside it. Its \`$id\` ends with the version
that a record has as \`schemaVersion\`. A record of a later version with the same first number is valid too.

| field | type | | description |
|---|---|---|---|
${fieldsOf('RunRecord').map(({ path, type, optional, docs }) => `| \`${path}\` | ${cell(code(type))} | ${optional ? '' : 'always'} | ${cell(docs)} |`).join('\n')}
`;
}

if (require.main === module) writeFileSync(PAGE, runPage());
