import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ForgeServer } from '../../rehearsal/forge';
import type { ForgeToken } from '../../rehearsal/forge';

const run = promisify(execFile);

/** What a git command ended with. */
export interface GitEnd {
  readonly code: number;
  readonly said: string;
}

/** A forge with the private repository `octo/shop`, whose `main` has one commit, and a clone of it. */
export class Forge {
  static async start(api?: Parameters<typeof ForgeServer.start>[0]['api']): Promise<Forge> {
    const directory = mkdtempSync(join(tmpdir(), 'forge-'));
    const server = await ForgeServer.start({ root: join(directory, 'forge'), api });
    const forge = new Forge(directory, server);
    await server.store.createRepository('octo/shop');
    server.store.addToken({ value: 'writer', login: 'octo-dev', repositories: ['octo/shop'], permissions: { contents: 'write' } });
    server.store.addToken({ value: 'reader', login: 'octo-dev', repositories: ['octo/shop'], permissions: { contents: 'read' } });
    forge.must('init', '--quiet', '--initial-branch=main', forge.clone);
    forge.change('README.md', 'hello\n');
    execFileSync('git', ['--git-dir', server.store.repository('octo/shop')!.directory, 'fetch', '--quiet', forge.clone, 'main:main']);
    return forge;
  }

  private constructor(readonly directory: string, readonly server: ForgeServer) {}

  /** The working copy. */
  get clone(): string {
    return join(this.directory, 'clone');
  }

  /** Returns the URL of the repository with a token. */
  as(token: string | ForgeToken | undefined, fullName = 'octo/shop'): string {
    const value = typeof token === 'string' ? token : token?.value;
    return this.server.url(fullName).replace('://', value === undefined ? '://' : `://x-access-token:${value}@`);
  }

  /** Runs git in the clone, to an end of any kind. */
  async git(...args: string[]): Promise<GitEnd> {
    const env = { PATH: process.env.PATH, HOME: this.directory, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
    return run('git', args, { cwd: args[0] === 'init' ? this.directory : this.clone, env, maxBuffer: 1e8 }).then(
      ({ stdout, stderr }) => ({ code: 0, said: `${stdout}${stderr}` }),
      (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, said: `${error.stdout}${error.stderr}` }),
    );
  }

  async push(token: string | undefined, ...references: string[]): Promise<GitEnd> {
    return this.git('push', this.as(token), ...references);
  }

  /** Returns the commit of a branch in the forge. */
  async at(branch: string, fullName = 'octo/shop'): Promise<string | undefined> {
    const { store } = this.server;
    return store.git(store.repository(fullName)!, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(() => undefined);
  }

  /** Commits a file in the clone. Returns the commit. */
  change(file: string, content: string | Buffer): string {
    execFileSync('sh', ['-c', `cat > '${file}'`], { cwd: this.clone, input: content });
    this.must('add', '.');
    this.must('commit', '--quiet', '-m', `change ${file}`);
    return this.must('rev-parse', 'HEAD');
  }

  must(...args: string[]): string {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
    return execFileSync('git', [...identity, ...args], { cwd: args[0] === 'init' ? this.directory : this.clone, encoding: 'utf8' }).trim();
  }

  async close(): Promise<void> {
    await this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
