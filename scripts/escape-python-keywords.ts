/**
 * Corrects the translations of the code in docs: a method whose name is a Python keyword ends with an underscore in Python, such as
 * `with_`. The Python packages do this, but jsii-rosetta does not, so its code would not be valid Python.
 */
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

const TABLET = join(__dirname, '../.jsii.tabl.json');

/** Keywords that are names in TypeScript. */
const METHOD = /\.(and|as|assert|class|continue|def|del|elif|except|from|global|in|is|lambda|nonlocal|not|or|pass|raise|with|yield)\(/g;

interface Tablet {
  readonly snippets: Record<string, { readonly translations: Partial<Record<string, { source: string }>> }>;
}

const tablet = JSON.parse(readFileSync(TABLET, 'utf8')) as Tablet;
for (const { translations } of Object.values(tablet.snippets)) {
  if (translations.python) translations.python.source = translations.python.source.replace(METHOD, '.$1_(');
}
writeFileSync(TABLET, JSON.stringify(tablet, undefined, 2));
