/**
 * Writes the rules that recognize secrets, from the rule file of gitleaks, whose authors maintain it (MIT License).
 *
 *   curl -LO https://raw.githubusercontent.com/gitleaks/gitleaks/<commit>/config/gitleaks.toml
 *   npx ts-node --transpile-only --project tsconfig.dev.json scripts/embed-secret-rules.ts gitleaks.toml <commit>
 *
 * Takes the rules that recognize a secret by its own format. Leaves out rules that need a vendor's name next to the secret, which would
 * match the commits and digests that gates print, and rules that would be slow or as long as all others together. Converts Go's syntax to
 * JavaScript's: a flag in the middle of an expression becomes a flag of the whole expression, and what follows a secret is not checked, so
 * that a longer secret is masked completely.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LEFT_OUT = ['curl-auth-header', 'curl-auth-user', 'facebook-access-token', 'jwt-base64', 'private-key', 'sidekiq-sensitive-url', 'sourcegraph-access-token', 'clickhouse-cloud-api-secret-key'];
const CONTEXT = /^(?:\(\?i\))?\[\\w[.-]*\]\{0,50\}\?/;

interface Rule {
  readonly id: string;
  readonly regex: string;
  readonly keywords: readonly string[];
}

function rulesOf(toml: string): Rule[] {
  return toml.split('[[rules]]').slice(1).flatMap((text) => {
    const [, id] = /^id = "([^"]+)"/m.exec(text)!;
    const [, regex] = /^regex = '''(.*)'''/m.exec(text) ?? [];
    const [, keywords = ''] = /^keywords = \[([^\]]*)\]/m.exec(text) ?? [];
    const ofPath = /^path = /m.test(text);
    return regex === undefined || ofPath || CONTEXT.test(regex) || LEFT_OUT.includes(id) ? []
      : [{ id, regex, keywords: [...keywords.matchAll(/"([^"]*)"/g)].map(([, keyword]) => keyword) }];
  });
}

function javaScript(regex: string): { readonly source: string; readonly flags: string } {
  const source = regex
    .replace(/\(\?:\[\\x60'"\\s;\]\|\\\\\[nr\]\|\$(?:\|\\b)?\)$/, '')
    .replace(/\(\?:\[\^[^\]]*\]\|\\z\)$/, '')
    .replace(/\(\?i\)/g, '').replace(/\(\?-?i:/g, '(?:')
    .replace(/\[\[:alnum:\]\]/g, '[A-Za-z0-9]').replace(/\\x60/g, '`')
    .replace(/\\b$/, '');
  if (/\(\?P<|\[\[:|\\z/.test(source)) throw new Error(`not of JavaScript: ${source}`);
  return { source, flags: regex.includes('(?i') ? 'gi' : 'g' };
}

const [, , file, commit] = process.argv;
const rules = rulesOf(readFileSync(file, 'utf8')).map(({ id, regex, keywords }) => ({ id, keywords, ...javaScript(regex) }));
for (const { source, flags } of rules) new RegExp(source, flags);
const lines = rules.map(({ id, keywords, source, flags }) => `  [${[keywords.join(' '), source, flags].map((text) => `'${text.replace(/[\\']/g, '\\$&')}'`).join(', ')}], // ${id}`);
writeFileSync(join(__dirname, '../src/handler/secret-rules.generated.ts'), `/*!
 * By scripts/embed-secret-rules.ts, from config/gitleaks.toml of https://github.com/gitleaks/gitleaks, commit ${commit}.
 *
 * MIT License. Copyright (c) 2019 Zachary Rice. Permission is hereby granted, free of charge, to any person obtaining a copy of this software
 * and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
 * is furnished to do so, subject to the following conditions: The above copyright notice and this permission notice shall be included in all
 * copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED,
 * INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
 * ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */

/** Words in lower case of which one is in whatever matches, expression and flags. The name of a rule is a comment, which no bundle has. */
export const SECRET_RULES: readonly (readonly [keywords: string, source: string, flags: string])[] = [
${lines.join('\n')}
];
`);
