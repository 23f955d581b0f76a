/**
 * Bundles `rehearsal/` into the package: the command line, and the subpath `cdk-agentcore-workbench/rehearsal` with its types.
 * What it uses of the library is the compiled `lib/`; the CDK is the user's own.
 */
import { execFileSync } from 'child_process';
import { chmodSync, rmSync } from 'fs';
import { join, resolve } from 'path';
import { build, Plugin } from 'esbuild';

const root = resolve(__dirname, '..');
const out = join(root, 'rehearsal-dist');

const LIBRARY: Plugin = {
  name: 'library',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\.\/\.\.\/src$/ }, () => ({ path: '../lib', external: true })),
};

async function bundle(): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { cli: 'rehearsal/cli/bin.ts', index: 'rehearsal/index.ts' },
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.dev.json',
    external: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'],
    plugins: [LIBRARY],
    legalComments: 'eof',
    logLevel: 'warning',
  });
  chmodSync(join(out, 'cli.js'), 0o755);
  execFileSync(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'), '--project', 'rehearsal/tsconfig.types.json', '--outDir', join(out, 'types'),
  ], { cwd: root, stdio: 'inherit' });
}

void bundle();
