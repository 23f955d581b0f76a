/**
 * Writes `src/session/job-script.generated.ts` from `job.sh`: the text that is sent with every command, without the
 * comments and the indentation that only its readers need.
 */
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

const folder = join(__dirname, '../src/session');
const script = readFileSync(join(folder, 'job.sh'), 'utf8')
  .split('\n')
  .map((line) => line.trim().replace(/^(\w+\(\) \{) # .*$/, '$1'))
  .filter((line) => line !== '' && !line.startsWith('#'))
  .join('\n');

if (script.includes("'")) throw new Error("job.sh must do without the character ' outside of comments: each one costs four when it is quoted");

writeFileSync(join(folder, 'job-script.generated.ts'), [
  '// Generated from job.sh by scripts/embed-job-script.ts. Edit that file and run "npx projen".',
  '/** The job protocol, as it is sent: `job.sh` without its comments. */',
  `export const JOB_SCRIPT = ${JSON.stringify(script.split('\n'), undefined, 2)}.join('\\n');`,
  '',
].join('\n'));
