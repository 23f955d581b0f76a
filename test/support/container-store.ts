import { spawn } from 'child_process';
import { createHash } from 'crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

/** The result of a command. */
export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => { output.stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { output.stderr += text; });
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? -1, ...output }));
  });
}

/** Runs a command that must succeed. */
export async function succeed(command: string, args: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.exitCode}:\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

/** Caches something that takes long to fetch and never changes, between runs of the tests. */
export async function fetched(name: string, fetch: (path: string) => Promise<void>): Promise<string> {
  const directory = join(__dirname, '../../node_modules/.cache/agent-image');
  const path = join(directory, name);
  if (existsSync(path)) return path;
  mkdirSync(directory, { recursive: true });
  const partial = mkdtempSync(join(directory, 'partial-'));
  await fetch(join(partial, 'file'));
  renameSync(join(partial, 'file'), path);
  rmSync(partial, { recursive: true });
  return path;
}

/** The output and the result of a build. */
export interface Build extends Run {
  /** Standard output and standard error. */
  readonly output: string;
}

const HOST_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const CERTIFICATES = '/run/host-certificates.crt';

/** Arguments that mount the machine's certificates at a path that no package of the image writes to, for registries behind a mirror. */
export function certificateArguments(): string[] {
  if (!existsSync(HOST_CERTIFICATES)) return [];
  return ['--volume', `${HOST_CERTIFICATES}:${CERTIFICATES}:ro`, '--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, '--env', `PIP_CERT=${CERTIFICATES}`];
}

/** Images and containers of one test file. Uses only buildah, podman and runc: no engine, and none of the machine's own images. */
export class ContainerStore {
  private readonly directory = mkdtempSync(join(tmpdir(), 'container-store-'));
  /** Environment for tools that use this store. */
  readonly env: NodeJS.ProcessEnv;

  constructor() {
    chmodSync(this.directory, 0o755); // a step that runs as another user must be able to reach its root directory
    writeFileSync(join(this.directory, 'storage.conf'),
      `[storage]\ndriver = "overlay"\ngraphroot = "${this.directory}/graph"\nrunroot = "${this.directory}/run"\n`);
    writeFileSync(join(this.directory, 'containers.conf'), [
      '[containers]',
      'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]', // in a sandbox, runc may not set the larger ones
      '[engine]',
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      // A separate store needs separate ones of these too: a reset removes them, and a first start releases everybody's locks.
      `tmp_dir = "${this.directory}/libpod"`,
      'lock_type = "file"',
      '',
    ].join('\n'));
    this.env = {
      ...process.env,
      CONTAINERS_STORAGE_CONF: join(this.directory, 'storage.conf'),
      CONTAINERS_CONF: join(this.directory, 'containers.conf'),
    };
  }

  /** Creates an image with this name from a root file system. */
  async importRootfs(tar: string, image: string, ...config: string[]): Promise<void> {
    const container = (await this.buildah('from', 'scratch')).trim();
    await this.buildah('add', '--quiet', container, tar, '/');
    if (config.length > 0) await this.buildah('config', ...config, container);
    await this.buildah('commit', '--quiet', '--rm', container, image);
  }

  /** Builds a context as a user's builder would, from local images only. */
  async build(context: string, tag: string, ...args: string[]): Promise<Build> {
    const result = await run('buildah', [
      'bud', '--isolation', 'chroot', '--pull-never', '--layers', '--network', 'host', ...certificateArguments(), '--tag', tag, ...args, '.',
    ], { cwd: context, env: this.env });
    return { ...result, output: result.stdout + result.stderr };
  }

  /** Runs a command in a container of an image, as the image's user and with an unchanged environment. */
  async exec(image: string, ...command: string[]): Promise<Run> {
    return run('podman', ['run', '--rm', '--network', 'host', image, ...command], { env: this.env });
  }

  /** Returns the configuration of an image and its layers. */
  async inspect(image: string): Promise<{ config: { User?: string; Env?: string[]; Cmd?: string[] }; layers: string[] }> {
    const [{ Config, RootFS }] = JSON.parse(await succeed('podman', ['image', 'inspect', image], { env: this.env }));
    return { config: Config, layers: RootFS.Layers };
  }

  async dispose(): Promise<void> {
    await run('buildah', ['rm', '--all'], { env: this.env });
    await run('podman', ['system', 'reset', '--force'], { env: this.env });
    rmSync(this.directory, { recursive: true, force: true });
  }

  private buildah(...args: string[]): Promise<string> {
    return succeed('buildah', args, { env: this.env });
  }
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
