/**
 * Writes docs/run.md: a run's input and record, field by field, from the types that the handlers are compiled with and the rules that
 * an input is checked by. A field without a docstring fails it.
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
  /** With its parents, such as `gates[].name`. */
  readonly path: string;
  readonly type: string;
  readonly optional: boolean;
  readonly docs: string;
}

let program: ts.Program | undefined;

/** All fields of an interface of `records.ts`, with those of the objects in it. */
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

/** @param seen the path at which each interface was described first */
function propertiesOf(checker: ts.TypeChecker, type: ts.Type, parent: string, seen: Map<ts.Type, string>): Field[] {
  return checker.getPropertiesOfType(type).flatMap((symbol) => {
    const optional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
    const declared = checker.getNonNullableType(checker.getTypeOfSymbol(symbol));
    const element = checker.isArrayType(declared) ? checker.getTypeArguments(declared as ts.TypeReference)[0] : undefined;
    const inner = element ?? declared;
    const path = `${parent}${symbol.name}${element === undefined ? '' : '[]'}`;
    const docs = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim();
    if (docs === '') throw new Error(`"${path}" has no docstring: say what it is, in ${RECORDS}`);
    const isObject = (inner.flags & ts.TypeFlags.Object) !== 0 || inner.isIntersection();
    const withNull = checker.getTypeOfSymbol(symbol);
    const before = seen.get(inner);
    if (isObject && before === undefined) seen.set(inner, path);
    const text = isObject ? `object${before === undefined ? '' : `, as ${before}`}` : checker.typeToString(element ?? (optional ? declared : withNull), undefined, ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias);
    return [
      { path, type: element === undefined ? text : `list of ${text}s`, optional, docs },
      ...(isObject && before === undefined ? propertiesOf(checker, inner, `${path}.`, seen) : []),
    ];
  });
}

/** What the handlers know of an input must be what its type says. */
function rulesOf(fields: readonly Field[]): ReadonlyMap<string, string> {
  const read = fields.map(({ path }) => path);
  const checked = Object.entries(INPUT_FIELDS).flatMap(([parent, names]) => names.map((name) => (parent === 'input' ? name : `${parent}.${name}`)));
  const unchecked = read.filter((path) => !checked.includes(path));
  if (unchecked.length > 0) throw new Error(`INPUT_FIELDS lacks ${unchecked.join(', ')}`);
  return new Map(checked.map((path) => [path, RULES.filter(({ field }) => field === path).map(({ message }) => message).join('; ')]));
}

const cell = (text: string) => text.replaceAll('|', '\\|');
const code = (type: string) => (/^(list of )?(object|string|number|boolean)s?(, as \S+)?$/.test(type) ? type.replace(/(?<=, as )\S+/, '`$&`') : type.split(' | ').map((word) => (word.startsWith('"') ? `\`${word.slice(1, -1)}\`` : word)).join(', '));

/** The page, whole. */
export function runPage(): string {
  const input = fieldsOf('LoopInput');
  const rules = rulesOf(input);
  const ignored = INPUT_FIELDS.session.filter((name) => !input.some(({ path }) => path === `session.${name}`));
  return `<!-- Written by scripts/write-run-page.ts from src/loop/steps/records.ts and src/loop/steps/input.ts: change those, and run "npx projen docs:run". -->
# A run's input and record

Field by field, as the handlers of a \`CodingLoop\` check the one and write the other. [coding-loop.md](coding-loop.md) says what a run does.

## Input
The input of an execution of the loop's state machine:

\`\`\`json
{ "taskId": "SHOP-7", "prompt": "Round prices half up.", "repository": { "url": "https://git.example.com/shop.git", "ref": "main" } }
\`\`\`
A wrong input ends the run as \`CodingLoop.BadInput\` before anything is started. The message names every field that is wrong, and a field that is not in this table is.

| field | type | | what it is | refused with |
|---|---|---|---|---|
${input.map(({ path, type, optional, docs }) => `| \`${path}\` | ${cell(code(type))} | ${optional ? '' : 'required'} | ${cell(docs)} | ${cell(rules.get(path)!)} |`).join('\n')}

A \`prompt\` may also have no more than the bytes that the loop's gates and commands leave of a state's 256 KiB: 200 KiB or a little less, and the message says how many. \`session\` is taken as it is in a record, so
it may have ${ignored.map((name) => `\`${name}\``).join(', ')} too, which are not read. Step Functions itself adds \`AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID\` if another execution started the run.

## Record
The output of an execution that succeeded, and, as JSON, the cause of one that failed. Also a refused run has one. In a rehearsal, \`rehearse --json\` prints more around it: this record is its \`output\`.

A field that is not marked "always" is missing where there is nothing to say. Of a field in an optional object, "always" means: whenever that object is there. A cause may have 32,768 characters; a longer record
goes without \`feedback\`.

| field | type | | what it is |
|---|---|---|---|
${fieldsOf('RunOutput').map(({ path, type, optional, docs }) => `| \`${path}\` | ${cell(code(type))} | ${optional ? '' : 'always'} | ${cell(docs)} |`).join('\n')}
`;
}

if (require.main === module) writeFileSync(PAGE, runPage());
