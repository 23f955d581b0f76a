/**
 * Writes a `*.generated.ts` beside each shell script that is sent to sessions: its text, without the comments and the
 * indentation that only its readers need.
 */
import { readFileSync, writeFileSync } from 'fs';
import { basename, join } from 'path';

const SCRIPTS = { JOB_SCRIPT: 'src/session/job.sh', WORKSPACE_SCRIPT: 'src/loop/workspace.sh' };

for (const [name, path] of Object.entries(SCRIPTS)) {
  const source = join(__dirname, '..', path);
  const lines = readFileSync(source, 'utf8')
    .split('\n')
    .map((line) => line.trim().replace(/^(\w+\(\) \{) # .*$/, '$1'))
    .filter((line) => line !== '' && !line.startsWith('#'));
  // It is sent in single quotes, beside commands of any size: each such character costs four.
  if (name === 'JOB_SCRIPT' && lines.some((line) => line.includes("'"))) throw new Error(`${path} must do without the character ' outside of comments`);

  writeFileSync(source.replace(/\.sh$/, '-script.generated.ts'), [
    `// Generated from ${basename(path)} by scripts/embed-scripts.ts. Edit that file and run "npx projen embed-scripts".`,
    `/** ${basename(path)}, as it is sent. */`,
    `export const ${name} = ${JSON.stringify(lines, undefined, 2)}.join('\\n');`,
    '',
  ].join('\n'));
}
