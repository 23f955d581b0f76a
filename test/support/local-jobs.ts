import { ChildProcess, spawn } from 'child_process';
import { randomUUID } from 'crypto';
import { mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { CommandMode, wordsOf } from '../../rehearsal/agentcore/words';
import { JobCall, jobCommand } from '../../src/jobs/job-command';
import { JobEnd, JobRecord, JobStreamParser } from '../../src/jobs/job-stream';

export interface CallResult {
  readonly records: JobRecord[];
  readonly end?: JobEnd;
  readonly output: Buffer;
  readonly stderr: string;
}

/** The job protocol without the service: each call is a bash process on this machine, and the mount is a temporary folder. */
export class LocalJobs {
  public readonly mount = mkdtempSync(join(tmpdir(), 'jobs-'));
  /** PATH of the commands; another path stands for another image. */
  public path = process.env.PATH!;
  /** How the service interprets commands. */
  public mode: CommandMode = 'strict';
  /** Setup that runs before each call, in a separate mount namespace. */
  public before?: string;
  /** Words that precede each call, for example to change the user. */
  public prefix: readonly string[] = [];

  public call(call: Partial<JobCall> & { readonly job: string }, options: { readonly cutAfterBytes?: number } = {}): Promise<CallResult> {
    const nonce = randomUUID();
    const text = jobCommand({
      mode: 'start',
      nonce,
      mount: this.mount,
      command: call.words === undefined ? 'true' : undefined,
      workingDirectory: this.mount,
      timeoutSeconds: 20,
      budgetSeconds: 30,
      offset: 0,
      logBytes: 1_000_000,
      ...call,
    });
    return collect(this.shell(text), new JobStreamParser(call.job, nonce), options.cutAfterBytes);
  }

  /** Runs a call in its own process group, as the service does. */
  public shell(text: string): ChildProcess {
    const command = wordsOf(text, this.mode);
    const [file, ...words] = this.before === undefined ? [...this.prefix, ...command]
      : ['unshare', '--map-root-user', '--mount', '/bin/bash', '-c', `${this.before}; exec "$@"`, 'bash', ...command];
    return spawn(file, words, { detached: true, env: { PATH: this.path, HOME: '/tmp' }, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  public file(job: string, name: string): string {
    return readFileSync(join(this.mount, '.workbench/jobs', job, name), 'utf8');
  }

  public close(): void {
    rmSync(this.mount, { recursive: true, force: true, maxRetries: 10 });
  }
}

function collect(child: ChildProcess, parser: JobStreamParser, cutAfterBytes?: number): Promise<CallResult> {
  const records: JobRecord[] = [];
  const pieces: Buffer[] = [];
  let received = 0;
  let stderr = '';
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (data) => { stderr += data; });
    child.stdout!.on('data', (data: Buffer) => {
      const room = cutAfterBytes === undefined ? data.length : Math.max(0, cutAfterBytes - received);
      received += data.length;
      try {
        for (const record of parser.push(data.subarray(0, room).toString('latin1'))) {
          records.push(record);
          if (record.kind === 'out') pieces.push(record.data);
        }
      } catch (error) {
        reject(error as Error);
      }
      // The call dies with its whole process group, as it does with its connection.
      if (cutAfterBytes !== undefined && received >= cutAfterBytes) killGroup(child.pid!);
    });
    child.on('error', reject);
    child.on('close', () => {
      const end = records.find((record): record is JobEnd => record.kind === 'end');
      resolve({ records, end, output: Buffer.concat(pieces), stderr });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it had ended already
  }
}
