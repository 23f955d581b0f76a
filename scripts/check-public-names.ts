/**
 * Checks the spelling of every public name: types, members and parameters of the jsii assembly, split at camel case.
 *
 * A correct word that cspell's dictionaries lack goes into WORDS, with its origin.
 */
import { readFileSync } from 'fs';
import { join } from 'path';
import type { Assembly, Callable, Docs, Parameter, Type } from '@jsii/spec';

const WORDS = [
  'agentcore', 'fsap', 'vcpu', // AWS
  'jsonata', // the query language of Step Functions
  'pipefail', // an option of bash
  'procps', 'shellcheck', // Debian packages
];

type Named = { readonly name?: string; readonly docs?: Docs; readonly parameters?: Parameter[] };

/** Returns every name that a user may have to type, with its location. */
function* namesOf(type: Type): Generator<[name: string, place: string]> {
  yield [type.name, type.fqn];
  const callables: (Callable & Named)[] = 'initializer' in type && type.initializer ? [type.initializer] : [];
  const members: Named[] = [
    ...('methods' in type ? type.methods ?? [] : []),
    ...('properties' in type ? type.properties ?? [] : []),
    ...('members' in type ? type.members : []),
  ];
  for (const member of [...callables, ...members]) {
    if ('name' in member && member.name) yield [member.name, `${type.fqn}.${member.name}`];
    for (const parameter of member.parameters ?? []) yield [parameter.name, `${type.fqn}(${parameter.name})`];
  }
}

async function main() {
  const assembly: Assembly = JSON.parse(readFileSync(join(__dirname, '../.jsii'), 'utf8'));
  const lines: string[] = [];
  const places: string[] = [];
  for (const type of Object.values(assembly.types ?? {})) {
    for (const [name, place] of namesOf(type)) {
      lines.push(name.split('_').join(' ').toLowerCase() === name.toLowerCase() ? name : name.split('_').join(' ').toLowerCase());
      places.push(place);
    }
  }
  const { checkText, getDefaultSettings } = await import('cspell-lib'); // an ES module
  const defaults = await getDefaultSettings();
  const result = await checkText(lines.join('\n'), { ...defaults, words: WORDS, languageId: 'typescript' });
  const starts = lines.reduce((offsets, line) => [...offsets, offsets[offsets.length - 1] + line.length + 1], [0]);
  const wrong = result.items.filter((item) => item.isError);
  for (const item of wrong) {
    const line = starts.findIndex((start, index) => item.startPos >= start && item.startPos < (starts[index + 1] ?? Infinity));
    console.error(`unknown word "${item.text}" in ${places[line]}: correct it, or add it to scripts/check-public-names.ts with where it comes from`);
  }
  console.log(`${lines.length} public names, ${wrong.length} unknown words`);
  process.exit(wrong.length === 0 && lines.length > 0 ? 0 : 1);
}

void main();
