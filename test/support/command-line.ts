import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../../rehearsal/cli/main';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `cdk-agentcore-workbench` in this process, with its output as text. */
export async function commandLine(...args: string[]): Promise<CommandResult> {
  const stdout = new Collector();
  const stderr = new Collector();
  const exitCode = await main(args, stdout as unknown as typeof process.stdout, stderr as unknown as typeof process.stderr);
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Somebody's working copy, with one commit. */
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
