/**
 * Writes a `*.generated.ts` next to each shell script that is sent to sessions: its text, without comments and indentation,
 * compressed, since every cold start loads the driver's bundle. To read what is sent:
 * `npx ts-node scripts/embed-scripts.ts --print`.
 */
import { existsSync, readFileSync, writeFileSync } from 'fs';
import { basename, dirname, join } from 'path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'zlib';

/** Scripts made of several parts; each part may use the parts before it. Each script has its own file next to its parts. */
const SCRIPTS = {
  JOB_SCRIPT: { file: 'src/jobs/job', parts: ['job'] },
  BASE_PART: { file: 'src/loop/steps/workspace-base', parts: ['workspace', 'workspace-results'] },
  FILES_PART: { file: 'src/loop/steps/workspace-files', parts: ['workspace-files'] },
  PREPARE_PART: { file: 'src/loop/steps/workspace-prepare', parts: ['workspace-prepare'] },
  MOVE_PART: { file: 'src/loop/steps/workspace-move', parts: ['workspace-move'] },
  MERGE_PART: { file: 'src/loop/steps/workspace-merge', parts: ['workspace-merge'] },
  PROTECT_PART: { file: 'src/loop/steps/workspace-protect', parts: ['workspace-protect'] },
  TREE_PART: { file: 'src/loop/steps/workspace-tree', parts: ['workspace-tree'] },
  REMOTE_PART: { file: 'src/loop/steps/workspace-remote', parts: ['workspace-remote', 'workspace-push'] },
  HISTORY_PART: { file: 'src/loop/steps/workspace-history', parts: ['workspace-history'] },
  VERIFY_PART: { file: 'src/loop/steps/workspace-verify', parts: ['workspace-verify'] },
  AWAY_PART: { file: 'src/loop/steps/workspace-away', parts: ['workspace-away'] },
};

for (const [name, script] of Object.entries(SCRIPTS)) {
  const file = join(__dirname, '..', script.file);
  const sources = script.parts.map((part) => join(dirname(file), `${part}.sh`));
  const parts = sources.map((path) => basename(path)).join(', ');
  const lines = sources.flatMap((source) => readFileSync(source, 'utf8').split('\n'))
    .map((line) => line.trim().replace(/^(\w+\(\) \{) # .*$/, '$1'))
    .filter((line) => line !== '' && !line.startsWith('#'));
  // Each script is sent as one '…', which cannot contain that character. With it, a script would be sent as base64, which is unreadable in a log.
  const quoted = lines.find((line) => line.includes("'"));
  if (quoted !== undefined) throw new Error(`${parts} must do without the character ' outside of comments: ${quoted}`);

  const text = lines.join('\n');
  const target = `${file}-script.generated.ts`;
  if (process.argv.includes('--print')) {
    console.log(text);
  } else if (embedded(target) !== text) { // other versions of Node may compress the same text to different bytes
    const compressed = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT } });
    writeFileSync(target, [
      `// Generated from ${parts} by scripts/embed-scripts.ts. Edit there and run "npx projen embed-scripts".`,
      'import { brotliDecompressSync } from \'zlib\';',
      '',
      `/** ${parts}, as it is sent. */`,
      `export const ${name} = brotliDecompressSync(Buffer.from('${compressed.toString('base64')}', 'base64')).toString();`,
      '',
    ].join('\n'));
  }
}

/** Returns the text that a file embeds now. */
function embedded(file: string): string | undefined {
  const base64 = existsSync(file) ? /Buffer\.from\('([^']+)'/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return base64 === undefined ? undefined : brotliDecompressSync(Buffer.from(base64, 'base64')).toString();
}
