/**
 * Writes a `*.generated.ts` beside each shell script that is sent to sessions: its text, without the comments and the
 * indentation that only its readers need.
 */
import { readFileSync, writeFileSync } from 'fs';
import { basename, join } from 'path';

/** Of several parts, each uses what those before it say. */
const SCRIPTS = { JOB_SCRIPT: ['src/session/job.sh'], WORKSPACE_SCRIPT: ['src/loop/workspace.sh', 'src/loop/workspace-results.sh', 'src/loop/workspace-files.sh', 'src/loop/workspace-tree.sh'] };

for (const [name, paths] of Object.entries(SCRIPTS)) {
  const sources = paths.map((path) => join(__dirname, '..', path));
  const parts = paths.map((path) => basename(path)).join(', ');
  const lines = sources.flatMap((source) => readFileSync(source, 'utf8').split('\n'))
    .map((line) => line.trim().replace(/^(\w+\(\) \{) # .*$/, '$1'))
    .filter((line) => line !== '' && !line.startsWith('#'));
  // It is sent as one '…', where nothing stands for that character.
  if (name === 'JOB_SCRIPT' && lines.some((line) => line.includes("'"))) throw new Error(`${parts} must do without the character ' outside of comments`);

  writeFileSync(sources[0].replace(/\.sh$/, '-script.generated.ts'), [
    `// Generated from ${parts} by scripts/embed-scripts.ts. Edit there and run "npx projen embed-scripts".`,
    `/** ${parts}, as it is sent. */`,
    `export const ${name} = ${JSON.stringify(lines, undefined, 2)}.join('\\n');`,
    '',
  ].join('\n'));
}
