/**
 * Corrects the translations of the code in docs: a method whose name is a keyword of Python ends with an underscore there, as in
 * `with_`. The packages for Python have it so, jsii-rosetta has not, and its code would be no Python.
 */
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

const TABLET = join(__dirname, '../.jsii.tabl.json');

/** Those that are names in TypeScript too. */
const METHOD = /\.(and|as|assert|class|continue|def|del|elif|except|from|global|in|is|lambda|nonlocal|not|or|pass|raise|with|yield)\(/g;

interface Tablet {
  readonly snippets: Record<string, { readonly translations: Partial<Record<string, { source: string }>> }>;
}

const tablet = JSON.parse(readFileSync(TABLET, 'utf8')) as Tablet;
for (const { translations } of Object.values(tablet.snippets)) {
  if (translations.python) translations.python.source = translations.python.source.replace(METHOD, '.$1_(');
}
writeFileSync(TABLET, JSON.stringify(tablet, undefined, 2));
