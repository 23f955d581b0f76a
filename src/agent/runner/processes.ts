import { ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { RUNNER_LIMITS } from './limits';
import { Lines, Tail } from './lines';
import { OutputFile } from './output-file';
import { Environment, ProgramEnd } from './programs/program';

/** The variable by which processes of one turn are recognized, also those that left their process group. */
const MARK = 'WORKBENCH_TURN';

export interface ProcessOptions {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly directory: string;
  readonly environment: Environment;
  readonly input: string;
  /** The directory of the output, on ephemeral disk. @default - the one for temporary files */
  readonly temporary?: string;
  /** Ends the process, and everything that it started. */
  readonly signal?: AbortSignal;
  readonly line: (line: string) => void;
  readonly longLine: (beginning: string) => void;
  /** Receives lines of the standard error, as many as are passed on. */
  readonly errorLine: (line: string) => void;
}

/** The file of a process that could not be started, with the reason. */
export class NotStarted extends Error {
  constructor(file: string, public readonly code: string) {
    super(`${file}: ${code}`);
    this.name = 'NotStarted';
  }
}

/** Runs a process in a group of its own until its end. Nothing that it started is left. */
export async function run(options: ProcessOptions): Promise<ProgramEnd> {
  const mark = randomUUID();
  const file = await OutputFile.create(options.temporary ?? tmpdir());
  const child = await started(options, mark, file);
  const [stdin, stderr] = [child.stdin!, child.stderr!];
  // A program that ends, or does not read, closes its standard input.
  stdin.on('error', () => {});
  stdin.end(options.input);

  let kill: NodeJS.Timeout | undefined;
  const stop = () => {
    signalAll(child.pid, mark, 'SIGTERM');
    kill ??= setTimeout(() => signalAll(child.pid, mark, 'SIGKILL'), RUNNER_LIMITS.grace);
  };
  // Terminates processes that the program started and did not stop.
  const ended = endOf(child, options.file).finally(() => endAll(child.pid, mark));
  const [output, errors] = [new Tail(), new Tail()];
  const lines = new Lines(options.line, options.longLine);
  let bytes = 0;
  const written = file.follow(ended, (chunk) => {
    bytes += chunk.length;
    if (bytes > RUNNER_LIMITS.outputBytes) stop();
    output.add(chunk.toString('utf8'));
    lines.write(chunk);
  });
  const complained = follow(stderr, errorLines(options.errorLine), errors);
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const [end] = await Promise.all([ended, written]);
    lines.end();
    await Promise.race([complained, later(RUNNER_LIMITS.drain)]);
    return { ...end, output: `${output}`, errors: `${errors}` };
  } catch (error) {
    // A reader that fails, on a full disk for one, must not leave the program at work.
    endAll(child.pid, mark);
    throw error;
  } finally {
    clearTimeout(kill);
    options.signal?.removeEventListener('abort', stop);
    stderr.destroy();
    await file.close();
  }
}

async function started(options: ProcessOptions, mark: string, file: OutputFile): Promise<ChildProcess> {
  try {
    return spawn(options.file, options.arguments, {
      cwd: options.directory,
      env: { ...withoutUndefined(options.environment), [MARK]: mark },
      detached: true,
      stdio: ['pipe', file.descriptor, 'pipe'],
    });
  } catch (error) {
    await file.close();
    throw error;
  }
}

function endOf(child: ChildProcess, file: string): Promise<{ exitCode: number | null; signal?: string }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(new NotStarted(file, error.code ?? error.message)));
    child.on('exit', (exitCode, signal) => resolve({ exitCode, signal: signal ?? undefined }));
  });
}

function follow(stream: NodeJS.ReadableStream, lines: Lines, tail: Tail): Promise<void> {
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      tail.add(chunk.toString('utf8'));
      lines.write(chunk);
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      lines.end();
      resolve();
    });
  });
}

/** Returns the lines of the standard error, of which only so much is passed on. */
function errorLines(pass: (line: string) => void): Lines {
  let left: number = RUNNER_LIMITS.errorBytes;
  const bounded = (line: string) => {
    if (left <= 0) return;
    left -= Buffer.byteLength(line) + 1;
    pass(left > 0 ? line : '(more of the standard error is left out)');
  };
  return new Lines(bounded, bounded, RUNNER_LIMITS.beginningBytes, RUNNER_LIMITS.progress);
}

/** Sends a signal to the process group, and to what left it: a mark in the environment survives a new session and another parent. */
function signalAll(group: number | undefined, mark: string, signal: NodeJS.Signals) {
  if (group === undefined) return;
  send(-group, signal);
  for (const process of marked(mark)) send(process, signal);
}

/** Ends all that is left. What multiplies meanwhile is found again. */
function endAll(group: number | undefined, mark: string) {
  signalAll(group, mark, 'SIGKILL');
  for (let times = 0; times < 10 && marked(mark).some(isAlive); times++) signalAll(group, mark, 'SIGKILL');
}

/** Determines whether a process runs, and is not only waiting for its parent to notice its end. */
function isAlive(id: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${id}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function send(process: number, signal: NodeJS.Signals) {
  try {
    globalThis.process.kill(process, signal);
  } catch {
    // It has ended by itself.
  }
}

function marked(mark: string): number[] {
  const processes = entries().filter((name) => /^[0-9]+$/.test(name)).map(Number);
  return processes.filter((id) => id !== process.pid && environmentOf(id).includes(`${MARK}=${mark}`));
}

function entries(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

function environmentOf(id: number): string {
  try {
    return readFileSync(`/proc/${id}/environ`, 'latin1');
  } catch {
    return '';
  }
}

function withoutUndefined(environment: Environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}
