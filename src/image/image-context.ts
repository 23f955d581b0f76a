import { createHash } from 'crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'path';
import { FileSystem, IgnoreMode, SymlinkFollowMode } from 'aws-cdk-lib';
import { SCRIPTS_DIRECTORY } from './constants';

/** A script of ours in the build context. */
export interface ContextScript {
  readonly file: string;
  readonly text: string;
}

/**
 * A script named by its own content.
 *
 * Builders keep a step's layer as long as the step's text is the same, and not all of them look into what it mounts.
 */
export function contextScript(name: string, text: string): ContextScript {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { file: `${name}-${hash}.sh`, text };
}

export interface ContextOptions {
  /** @default - the image has no files of the user */
  readonly directory?: string;
  readonly exclude?: readonly string[];
  readonly ignoreMode?: IgnoreMode;
  readonly followSymlinks?: SymlinkFollowMode;
  /** Path of the Dockerfile within the context. */
  readonly file: string;
  readonly dockerfile: string;
  readonly scripts: readonly ContextScript[];
  /** The paths of files that the scripts read. @default - none */
  readonly files?: readonly string[];
  /** The directory in the context for the agent's own files. */
  readonly application: string;
}

/** Copies that no asset was made of so far. */
const unused = new Set<string>();

function removeUnused(): void {
  for (const directory of unused) rmSync(directory, { recursive: true, force: true });
}

/** To be called when the asset is there: it has a copy of its own in the assembly, unless it refers to this one. */
export function releaseContext(directory: string, referredTo: boolean): void {
  unused.delete(directory);
  if (!referredTo) rmSync(directory, { recursive: true, force: true });
}

/**
 * Copies the directory, as far as it is not ignored, and puts our Dockerfile and scripts with it.
 *
 * A copy, since the user's directory is not ours to write into. Its place is random, its content is not, and the asset's hash is made of the
 * content only.
 */
export function stageContext(options: ContextOptions): string {
  const { directory, file, application } = options;
  const context = FileSystem.mkdtemp('agent-image-');
  if (!process.listeners('exit').includes(removeUnused)) process.once('exit', removeUnused);
  unused.add(context);

  if (directory !== undefined) {
    const patterns = ignorePatterns(directory, file);
    const target = join(context, application);
    mkdirSync(target, { recursive: true });
    // Patterns of a .dockerignore are matched against absolute paths only.
    FileSystem.copyDirectory(resolve(directory), target, {
      exclude: [...patterns, ...options.exclude ?? [], '.dockerignore', `${file}.dockerignore`, ...assemblyOutput(directory)],
      ignoreMode: options.ignoreMode ?? IgnoreMode.DOCKER,
      follow: options.followSymlinks,
    });
  }

  mkdirSync(dirname(join(context, file)), { recursive: true });
  writeFileSync(join(context, file), options.dockerfile);
  mkdirSync(join(context, SCRIPTS_DIRECTORY));
  for (const script of options.scripts) writeFileSync(join(context, SCRIPTS_DIRECTORY, script.file), script.text);
  for (const path of options.files ?? []) copyFileSync(path, join(context, SCRIPTS_DIRECTORY, basename(path)));
  return context;
}

/** Returns the patterns that the build ignores. Docker looks for an ignore file of the Dockerfile's own first. */
function ignorePatterns(directory: string, file: string): string[] {
  const own = join(directory, `${file}.dockerignore`);
  const path = existsSync(own) ? own : join(directory, '.dockerignore');
  return existsSync(path) ? readFileSync(path, 'utf8').split(/\r?\n/).filter((line) => line.trim() !== '') : [];
}

/**
 * An app at the root of the agent's directory writes its assembly there; it would hold itself, and change the hash with each synth.
 *
 * By its place, not by its name: an output elsewhere may be called what a folder of the application is called.
 */
function assemblyOutput(directory: string): string[] {
  const place = process.env.CDK_OUTDIR === undefined ? '' : relative(realPath(directory), realPath(process.env.CDK_OUTDIR));
  const within = place !== '' && !isAbsolute(place) && place.split(sep)[0] !== '..';
  return ['cdk.out', ...(within ? [place.split(sep).join('/')] : [])];
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}
