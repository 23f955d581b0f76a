import { ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NamespaceSandbox } from './namespace-sandbox';
import { INIT_SCRIPT, SUPERVISOR_SCRIPT } from './namespace-script';
import { PipePool } from './pipes';
import { Sandbox, SandboxDriver, SandboxOptions, SandboxUnavailableError } from './sandbox';

const FIRST_PIPES = Array.from({ length: 32 }, (_, index) => `first-${index}`);

export interface NamespaceDriverOptions {
  /**
   * Also creates a user namespace, in which an ordinary user may mount.
   * @default - only when not root
   */
  readonly userNamespace?: boolean;
  /**
   * Number of the user that commands run as; 0 is root, as in the service. Outside of the sandbox it is always the user who rehearses. It has no
   * capabilities unless it is root.
   * @default - the user who rehearses, or root, with a warning, if that is not possible
   */
  readonly user?: number;
  /**
   * Directories that commands can see, with changes discarded, although they are in a directory that each sandbox has for itself, such as `/tmp` or
   * `/mnt`. All other directories are visible anyway.
   * @default - the current directory and those of `PATH`
   */
  readonly visible?: readonly string[];
}

/** Sandboxes out of Linux namespaces: nothing to install but util-linux, bash and coreutils. The host's programs, with changes thrown away. */
export class NamespaceDriver implements SandboxDriver {
  readonly name = 'namespace';
  readonly runsAs?: number;
  private readonly userNamespace: boolean;
  private readonly visible: readonly string[];

  constructor(options: NamespaceDriverOptions = {}) {
    this.userNamespace = options.userNamespace ?? process.getuid?.() !== 0;
    this.runsAs = options.user;
    this.visible = belowOwnDirectories(options.visible ?? [process.cwd(), dirname(process.execPath), ...(process.env.PATH ?? '').split(':')]);
  }

  async start(options: SandboxOptions): Promise<Sandbox> {
    if (process.platform !== 'linux') {
      throw new SandboxUnavailableError(`the namespace sandbox needs Linux, not ${process.platform}: use the container sandbox`);
    }
    mkdirSync(dirname(options.disk), { recursive: true });
    const flags = this.userNamespace ? ['--user', '--map-root-user'] : [];
    // The group goes with the user: that of the one who rehearses, or the user's own number for another.
    const { runsAs: wanted = process.getuid!() } = this;
    const group = wanted === process.getuid!() ? process.getgid!() : wanted;
    const within = wanted === 0 ? ['', ''] : [`${wanted}`, `${group}`];
    const hidden = (options.hidden ?? []).filter(directory => existsSync(directory));
    const supervisor = spawn('bash', [
      '--norc', '-c', SUPERVISOR_SCRIPT, 'supervisor', options.disk, INIT_SCRIPT, `${flags.length}`, ...flags,
      this.userNamespace ? ',userxattr' : '', ...within, this.runsAs === undefined ? '' : 'exactly', `${options.mounts.length}`, ...options.mounts.flatMap(mount => [mount.source, mount.target]),
      `${this.visible.length}`, ...this.visible, ...hidden,
    ], {
      detached: true, // Ctrl-C is for the rehearsal, which ends its sandboxes in order
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    const { pid, parent, user, stderr } = await ready(supervisor);
    return new NamespaceSandbox({
      supervisor,
      initPid: pid,
      enter: ['nsenter', ...(this.userNamespace ? [`--user=/proc/${parent}/ns/user`, '--preserve-credentials'] : []), '--mount', '--pid', '--ipc', `--target=${pid}`, '--wd=/', '--'],
      become: user === 0 ? [] : ['nsenter', '--user', '--preserve-credentials', '--target=1', '--'],
      environment: options.environment,
      pipes: new PipePool(join(options.disk, 'pipes'), FIRST_PIPES),
      warnings: stderr,
    });
  }
}

/** Those of them that are below a directory that a sandbox has an own one of, without those that are in another. */
function belowOwnDirectories(directories: readonly string[]): string[] {
  const real = directories.filter(directory => directory !== '' && existsSync(directory)).map(directory => realpathSync(directory));
  const below = real.filter(directory => /^\/(tmp|var\/tmp|mnt|dev\/shm)\/./.test(directory));
  return [...new Set(below)].filter(directory => !below.some(other => directory.startsWith(`${other}/`)));
}

function ready(supervisor: ChildProcess): Promise<{ pid: number; parent: number; user: number; stderr: string[] }> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    const fail = (why: string) => reject(new SandboxUnavailableError(`no namespace sandbox could be started: ${why}${stderr ? `: ${stderr.trim()}` : ''}; `
      + 'it needs bash, coreutils and util-linux, and root or a kernel that allows user namespaces; the container sandbox needs neither'));
    supervisor.stderr!.setEncoding('utf8').on('data', (chunk: string) => stderr += chunk);
    supervisor.stdin!.on('error', () => undefined);
    supervisor.once('error', error => fail(error.message));
    supervisor.once('close', code => fail(`exit code ${code}`));
    supervisor.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      const line = /^ready (\d+) (\d+) (\d+)\n/m.exec(stdout);
      if (line) {
        resolve({ pid: Number(line[1]), parent: Number(line[2]), user: Number(line[3]), stderr: stderr.split('\n').filter(text => text !== '') });
      }
    });
  });
}
