/**
 * The README's first command: synthesizes `examples/first-loop` and runs its loop on this machine, with the repository that comes
 * with the example. Passes its arguments on to `rehearse`.
 *
 * Usage: npm run rehearse [-- --json ...]
 */
import { execFileSync } from 'child_process';
import { cpSync, mkdirSync, mkdtempSync } from 'fs';
import { dirname, join, resolve } from 'path';
import { reasonToBundle } from './is-built';
import { main, misuseOf } from '../rehearsal/cli/main';

const root = resolve(__dirname, '..');
const example = join(root, 'examples/first-loop');
const assembly = join(root, 'cdk.out/first-loop');

function run(program: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): void {
  try {
    execFileSync(program, args, { cwd: root, stdio: 'pipe', encoding: 'utf8', ...options });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    console.error(`${message}\n${stdout}${stderr}`);
    process.exit(3);
  }
}

/** Creates a repository from the example's files with one commit, whose id is always the same. */
function repository(parent: string): string {
  const directory = join(parent, 'basket');
  cpSync(join(example, 'repository'), directory, { recursive: true });
  const git = (...args: string[]) => run('git', args, {
    cwd: directory,
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_AUTHOR_DATE: '@1767225600 +0000', GIT_COMMITTER_DATE: '@1767225600 +0000' },
  });
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '--all');
  git('-c', 'user.name=basket', '-c', 'user.email=basket@localhost', 'commit', '--quiet', '--message', 'a basket that charges wrongly');
  return directory;
}

/** Returns the arguments for `rehearse`, with a default for each option that is not given: the command rejects duplicates. */
function withDefaults(given: readonly string[], defaults: { readonly [option: string]: string }): string[] {
  const missing = Object.entries(defaults).filter(([name]) => !given.some((word) => word === name || word.startsWith(`${name}=`)));
  return ['rehearse', ...missing.flat(), ...given];
}

async function rehearse(): Promise<number> {
  const given = process.argv.slice(2);
  const state = { '--state': join(root, '.rehearsal') };
  if (/^[a-z]/.test(given[0] ?? '')) return main(withDefaults(given, state)); // about sessions of earlier runs
  const misuse = misuseOf(['rehearse', ...given]);
  if (misuse !== undefined) {
    console.error(misuse);
    return 2;
  }
  const began = Date.now();
  console.error('synthesizing examples/first-loop …');
  if (reasonToBundle(root) !== undefined) run(join(root, 'node_modules/.bin/projen'), ['bundle']); // the driver function's code
  mkdirSync(assembly, { recursive: true });
  run(process.execPath, [require.resolve('ts-node/dist/bin'), '--transpile-only', '--project', join(root, 'tsconfig.dev.json'), join(example, 'app.ts')], {
    env: { ...process.env, CDK_OUTDIR: assembly },
  });
  console.error(`the template is ${join(assembly, 'FirstLoop.template.json')} (${((Date.now() - began) / 1_000).toFixed(1)} s)\n`);
  const kept = mkdtempSync(join(dirname(assembly), 'first-loop-')); // the output ends with a command that fetches the commit into it
  return main(withDefaults(given, {
    '--app': assembly, '--loop': 'Fix', '--input': join(example, 'input.json'), '--repository': repository(kept), ...state,
  }));
}

void rehearse().then((code) => {
  process.exitCode = code;
});
