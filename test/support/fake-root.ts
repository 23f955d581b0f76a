import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { type Run, run, succeed } from './container-store';

/** Package names in a repository, and the commands that each package installs. */
export type Repository = { readonly [name: string]: string };

const SAME: Repository = {
  'bash': 'bash',
  'git': 'git',
  'curl': 'curl',
  'jq': 'jq',
  'ripgrep': 'rg',
  'cmake': 'cmake',
  'git-lfs': 'git-lfs',
  'patch': 'patch',
  'rsync': 'rsync',
  'unzip': 'unzip',
  'zip': 'zip',
  'xz': 'xz',
  'wget': 'wget',
  'sqlite': 'sqlite3',
  'python3': 'python3',
  'openssl': 'openssl',
  'ca-certificates': '',
  'procps-ng': 'ps pgrep',
  'tar': 'tar',
  'file': 'file',
};
export const FEDORA: Repository = {
  ...SAME,
  'gcc': 'cc gcc',
  'gcc-c++': 'c++ g++',
  'make': 'make',
  'openssh-clients': 'ssh',
  'gnupg2': 'gpg',
  'python3-pip': 'pip3',
  'ShellCheck': 'shellcheck',
  'pkgconf-pkg-config': 'pkg-config',
  'libstdc++': '',
  'libatomic': '',
};
export const ALPINE: Repository = {
  ...SAME,
  'build-base': 'cc c++ make',
  'openssh-client': 'ssh',
  'gnupg': 'gpg',
  'py3-pip': 'pip3',
  'shellcheck': 'shellcheck',
  'pkgconf': 'pkg-config',
  'libstdc++': '',
  'libatomic': '',
};

/** BusyBox's names where it stands in for a tool: most of these are in Alpine's base image. */
const STAND_INS = ['patch', 'pgrep', 'ps', 'tar', 'unzip', 'wget', 'xz'];
const APPLETS = ['sh', 'id', 'mkdir', 'rm', 'mktemp', 'sed', 'cut', 'grep', 'cat', 'tail', 'chown', 'chmod', 'dirname', 'touch', 'env', 'ln', 'ls', 'readlink', 'wc', ...STAND_INS];

/** A root file system with BusyBox and the given package manager. */
export class FakeRoot {
  static async create(manager: string, repository: Repository): Promise<FakeRoot> {
    const root = new FakeRoot();
    const busybox = (await succeed('sh', ['-c', 'command -v busybox'])).trim();
    const libraries = (await run('ldd', [busybox])).stdout.match(/\/\S+/g) ?? [];
    for (const file of [busybox, ...libraries]) {
      const target = file === busybox ? '/bin/busybox' : file;
      mkdirSync(join(root.directory, dirname(target)), { recursive: true });
      await succeed('cp', ['-L', file, join(root.directory, target)]);
    }
    for (const applet of APPLETS) symlinkSync('busybox', join(root.directory, 'bin', applet));
    for (const directory of ['etc', 'tmp', 'dev', 'usr/bin']) mkdirSync(join(root.directory, directory), { recursive: true });
    root.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
    root.write('etc/group', 'root:x:0:\n');
    root.command(manager, [
      'echo "$*" >> /log',
      'add() { for name in "$@"; do printf \'#!/bin/sh\\necho %s 1.2.3\\n\' "$name" > "/usr/bin/$name"; chmod +x "/usr/bin/$name"; done; }',
      'for package in "$@"; do',
      '  case "$package" in',
      '    -*|install|add|clean|all|info) ;;',
      ...Object.entries(repository).map(([name, commands]) => `    '${name}') add ${commands} ;;`),
      '    *) echo "no such package: $package" >&2; exit 1 ;;',
      '  esac',
      'done',
    ].join('\n'));
    return root;
  }

  readonly directory = mkdtempSync(join(tmpdir(), 'fake-root-'));

  write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text);
  }

  command(name: string, script: string): void {
    writeFileSync(join(this.directory, 'usr/bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  read(path: string): string {
    return readFileSync(join(this.directory, path), 'utf8');
  }

  run(script: string): Promise<Run> {
    this.write('script.sh', script);
    return run('chroot', [this.directory, '/bin/sh', '/script.sh'], { env: { PATH: '/usr/sbin:/usr/bin:/bin' } });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
