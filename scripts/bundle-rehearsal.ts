/**
 * Bundles `rehearsal/` into the package: the command line, and the subpath `cdk-agentcore-workbench/rehearsal` with its types.
 * What it uses of the library is the compiled `lib/`; the CDK is the user's own.
 */
import { execFileSync } from 'child_process';
import { chmodSync, rmSync } from 'fs';
import { join, resolve } from 'path';
import { build, BuildOptions, Plugin } from 'esbuild';

const root = resolve(__dirname, '..');
const out = join(root, 'rehearsal-dist');

const LIBRARY: Plugin = {
  name: 'library',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\.\/\.\.\/src$/ }, () => ({ path: '../lib', external: true })),
};

/** Runs in an account are a file of their own, which a rehearsal does not load: it has the clients of AWS. */
const ACCOUNT: Plugin = {
  name: 'account',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\.\/account$/ }, () => ({ path: './account.js', external: true })),
};

async function bundle(): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  const options: BuildOptions = {
    absWorkingDir: root,
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.dev.json',
    external: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'],
    plugins: [LIBRARY, ACCOUNT],
    legalComments: 'eof',
    logLevel: 'warning',
  };
  await build({ ...options, entryPoints: { cli: 'rehearsal/cli/bin.ts', index: 'rehearsal/index.ts' } });
  // The clients are a third smaller by their modules.
  await build({ ...options, entryPoints: { account: 'rehearsal/account/index.ts' }, mainFields: ['module', 'main'], minifyWhitespace: true });
  chmodSync(join(out, 'cli.js'), 0o755);
  execFileSync(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'), '--project', 'rehearsal/tsconfig.types.json', '--outDir', join(out, 'types'),
  ], { cwd: root, stdio: 'inherit' });
}

void bundle();
