import { ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { buildSync } from 'esbuild';
import { main } from '../../rehearsal/cli/main';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `cdk-agentcore-workbench` in this process and returns its output as text. */
export async function commandLine(...args: string[]): Promise<CommandResult> {
  const stdout = new Collector();
  const stderr = new Collector();
  const exitCode = await main(args, stdout as unknown as typeof process.stdout, stderr as unknown as typeof process.stderr);
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** Returns the output of a command. Fails with all of it if the command ends with another exit code. */
export async function ending(exitCode: number, running: Promise<CommandResult>): Promise<CommandResult> {
  const result = await running;
  if (result.exitCode !== exitCode) throw new Error(`exit code ${result.exitCode}, not ${exitCode}:\n${result.stdout}${result.stderr}`);
  return result;
}

const ROOT = resolve(__dirname, '../..');

/** Bundles the command into one file, which starts fast. It is as deep in the project as the library, which looks for `assets` relative to itself. */
const BUNDLE = join(ROOT, 'node_modules/.cache', `command-line-${process.pid}.js`);
afterAll(() => rmSync(BUNDLE, { force: true }));

const bundle = once(() => {
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: ['rehearsal/cli/bin.ts'],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.dev.json',
    external: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'],
    logLevel: 'warning',
  });
  return BUNDLE;
});

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

export interface CommandLineOptions {
  /** @default - that of this process */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A program and its arguments that run the command, for example as another user. */
  readonly by?: readonly string[];
  /** Runs it in a pseudo-terminal; all output is in `stdout`, and text that is written to it is typed. */
  readonly terminal?: boolean;
}

/** `cdk-agentcore-workbench` as a separate process. */
export class CommandLine {
  readonly ended: Promise<CommandResult>;
  stdout = '';
  private stderr = '';
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(args: readonly string[], { env = process.env, cwd, by = [], terminal = false }: CommandLineOptions = {}) {
    const words = [...by, process.execPath, bundle(), ...args];
    const typed = words.map((word) => `'${word.replace(/'/g, "'\\''")}'`).join(' ');
    const [program, ...rest] = terminal ? ['script', '--quiet', '--return', '--flush', '--command', `stty cols 80 rows 24; exec ${typed}`, '/dev/null'] : words;
    this.child = spawn(program, rest, { cwd, env: { ...env, ...terminal ? { TERM: 'xterm', SHELL: '/bin/bash' } : {} } });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => { this.stdout += text; });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => { this.stderr += text; });
    this.ended = new Promise((settle, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => settle({ exitCode: code ?? 128 + constants.signals[signal!], stdout: this.stdout, stderr: this.stderr }));
    });
    if (!terminal) this.child.stdin.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  type(text: string): void {
    this.child.stdin.write(text);
  }

  /** Resolves once the process has printed the pattern; fails if it ends before. */
  async prints(pattern: RegExp): Promise<void> {
    if (pattern.test(this.stdout)) return;
    const seen = new Promise<void>((settle) => this.child.stdout.on('data', () => {
      if (pattern.test(this.stdout)) settle();
    }));
    await Promise.race([seen, this.ended.then(({ stdout, stderr }) => {
      if (!pattern.test(stdout)) throw new Error(`it ended without ${pattern}:\n${stdout}${stderr}`);
    })]);
  }
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A user's working copy with one commit. */
export class WorkingCopy {
  readonly directory: string;
  readonly state: string;
  private readonly home = mkdtempSync(join(tmpdir(), 'working-copy-'));

  constructor(files: { readonly [path: string]: string }) {
    this.directory = join(this.home, 'project');
    this.state = join(this.home, 'state');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.directory, path)), { recursive: true });
      writeFileSync(join(this.directory, path), text);
      if (path.endsWith('.sh')) chmodSync(join(this.directory, path), 0o755);
    }
    this.git('init', '--quiet', '--initial-branch', 'main');
    this.git('add', '--all');
    this.git('-c', 'user.name=somebody', '-c', 'user.email=somebody@localhost', 'commit', '--quiet', '--message', 'the beginning');
  }

  git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.directory, encoding: 'utf8', stdio: 'pipe' });
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
