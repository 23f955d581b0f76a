/**
 * Succeeds if the files of a package exist and are newer than their sources. Otherwise a packaging task builds them first: in a fresh
 * clone, jsii-pacmak would find nothing, and npm would leave out missing files without a warning.
 *
 * Usage: is-built.ts [--translations]   with --translations, checks only those of the code in docs
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'fs';
import { join, normalize, resolve } from 'path';

const TRANSLATIONS = ['.jsii.tabl.json'];
const SOURCES = ['src', 'rehearsal', 'rosetta', 'README.md', 'package.json', 'package-lock.json', '.projen/tasks.json'];

interface Package {
  readonly main: string;
  readonly types: string;
  readonly bin: Record<string, string>;
  readonly exports: { readonly './rehearsal': Record<string, string> };
}

const filesIn = (directory: string) => readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(directory, name)).isFile());

/** The files that the package promises to contain, and each handler's bundle. */
function outputs(root: string): string[] {
  const { main, types, bin, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
  const handlers = filesIn(join(root, 'src')).filter((name) => name.endsWith('.lambda.ts'));
  return [
    '.jsii', main, types, ...Object.values(bin), ...Object.values(exports['./rehearsal']),
    ...handlers.map((name) => join('assets', name.slice(0, -'.ts'.length), 'index.js')),
    'rehearsal-dist/account.js', // loaded by cli.js
    'assets/driver/session-driver.lambda/junit.js', // loaded by its index.js
    'assets/driver/session-driver.lambda/listing.js',
    'assets/driver/session-driver.lambda/agent-report.js',
    'assets/driver/session-driver.lambda/repair.js',
    'assets/driver/session-driver.lambda/agent-words.js',
    'assets/forge/publisher.lambda/agent-words.js',
    'assets/agent/workbench-agent.js', // copied into images
  ].map(normalize);
}

/** Returns why the project in this directory must be built before it is packaged, or `undefined`. */
export function reasonToBuild(root: string, needed = outputs(root)): string | undefined {
  const missing = needed.find((path) => !existsSync(join(root, path)));
  if (missing) return `${missing} is missing`;

  const changed = (path: string) => statSync(join(root, path)).mtimeMs;
  const oldest = needed.reduce((a, b) => (changed(a) <= changed(b) ? a : b));
  const newer = SOURCES.filter((path) => existsSync(join(root, path)))
    .flatMap((path) => (statSync(join(root, path)).isFile() ? path : filesIn(join(root, path)).map((name) => join(path, name))))
    .find((path) => changed(path) > changed(oldest));
  return newer && `${oldest} is older than ${newer}`;
}

/** Returns the same for the code of handlers and agents, which `projen bundle` makes. */
export const reasonToBundle = (root: string) => reasonToBuild(root, outputs(root).filter((path) => path.startsWith('assets')));

/** Returns the same for the additional files that packages for other languages need: the docs' code in each language. */
export const reasonToTranslate = (root: string) => reasonToBuild(root, TRANSLATIONS);

if (require.main === module) {
  const root = resolve(__dirname, '..');
  const reason = process.argv.includes('--translations') ? reasonToTranslate(root) : reasonToBuild(root);
  if (reason) {
    console.error(reason);
    process.exit(1);
  }
}
