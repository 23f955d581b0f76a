/**
 * Synthesizes every app in `examples/`, each in a directory of its own, as `cdk synth` would.
 *
 * Usage: npx projen examples [name ...]
 */
import { spawnSync } from 'child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';

const root = resolve(__dirname, '..');
const examples = join(root, 'examples');
const wanted = process.argv.slice(2);
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && (wanted.length === 0 || wanted.includes(entry.name)))
  .map((entry) => entry.name)
  .sort();

const missing = wanted.filter((name) => !names.includes(name));
if (names.length === 0 || missing.length > 0) {
  console.error(`no such example: ${missing.join(', ') || 'examples/ is empty'}`);
  process.exit(2);
}

let failed = 0;
for (const name of names) {
  const directory = join(examples, name);
  const out = mkdtempSync(join(tmpdir(), `example-${name}-`));
  const started = Date.now();
  const run = spawnSync(process.execPath, [
    join(root, 'node_modules/ts-node/dist/bin.js'), '--transpile-only', '--project', join(root, 'tsconfig.dev.json'), 'app.ts',
  ], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: '{}' },
  });
  const templates = existsSync(out) ? readdirSync(out).filter((file) => file.endsWith('.template.json')) : [];
  const complaint = run.status !== 0 ? `exit code ${run.status}`
    : templates.length === 0 ? 'no template was written'
      : !existsSync(join(directory, 'README.md')) ? 'it has no README.md'
        : undefined;
  if (complaint) failed++;
  console.log(`${complaint ? 'FAILED' : 'ok    '} ${name} (${Date.now() - started} ms): ${complaint ?? templates.join(', ')}`);
  if (complaint || run.stderr) process.stderr.write(run.stderr || run.stdout);
  rmSync(out, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
