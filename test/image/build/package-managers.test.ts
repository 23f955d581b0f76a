import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { AgentImage, DevTool } from '../../../src';
import { type Run, run, succeed } from '../../support/container-store';
import { type ImageAsset, assetOf } from '../../support/image-assets';
import { directoryOf } from '../../support/image-parts';

/**
 * The scripts on distributions that this project cannot build: no registry that it can reach has a base of theirs. The root file system
 * is BusyBox alone, with a package manager that knows what the real one calls its packages, refuses what it does not know, and
 * installs stand-ins for their commands. What the real packages hold is not tested by this.
 */

/** What packages are called there, and the commands that each brings. */
type Repository = { readonly [name: string]: string };

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
  'ca-certificates': '',
  'procps-ng': 'ps pgrep',
  'tar': 'tar',
  'file': 'file',
};
const FEDORA: Repository = {
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
const ALPINE: Repository = {
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

const TOOLS = [
  DevTool.BUILD_ESSENTIAL, DevTool.CMAKE, DevTool.CURL, DevTool.GIT_LFS, DevTool.GNUPG, DevTool.JQ, DevTool.OPENSSH_CLIENT, DevTool.PATCH,
  DevTool.PKG_CONFIG, DevTool.PROCPS, DevTool.PYTHON3, DevTool.RIPGREP, DevTool.RSYNC, DevTool.SHELLCHECK, DevTool.SQLITE, DevTool.TAR, DevTool.UNZIP,
  DevTool.WGET, DevTool.XZ, DevTool.ZIP,
];
/** What BusyBox is called where it stands in for a tool: most of these are in Alpine's base. */
const STAND_INS = ['patch', 'pgrep', 'ps', 'tar', 'unzip', 'wget', 'xz'];
const APPLETS = ['sh', 'id', 'mkdir', 'rm', 'mktemp', 'sed', 'cut', 'grep', 'cat', 'tail', 'chown', 'chmod', 'dirname', 'touch', 'env', 'ln', 'ls', 'readlink', 'wc', ...STAND_INS];

/** A root file system with BusyBox and a package manager of the given name. */
class FakeRoot {
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

describe.each<[manager: string, install: RegExp, repository: Repository, listedAs: string]>([
  ['dnf', /^install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs /, FEDORA, 'dnf'],
  ['microdnf', /^install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs /, FEDORA, 'dnf'],
  ['apk', /^add --no-cache /, ALPINE, 'apk'],
])('a base with %s', (manager, install, repository, listedAs) => {
  let root: FakeRoot;
  let image: ImageAsset;
  let agent: string;

  beforeEach(async () => {
    root = await FakeRoot.create(manager, repository);
    agent = directoryOf({ 'agent.js': '' });
    image = assetOf(AgentImage.fromDirectory(agent, { command: ['node', 'agent.js'], tools: TOOLS }));
  });

  afterEach(() => {
    root.remove();
    rmSync(agent, { recursive: true });
  });

  test('gets every tool of the operating system by its own names, in one call', async () => {
    expect(await root.run(image.scripts.packages)).toMatchObject({ exitCode: 0, stderr: '' });
    const [call, ...others] = root.read('log').trim().split('\n').filter((line) => line !== 'clean all');
    expect(call).toMatch(install);
    expect(others).toEqual([]);
  });

  test('gets the tools themselves where BusyBox stands in for them', async () => {
    await root.run(image.scripts.packages);
    const packages = root.read('log').split(/\s/);
    expect(packages).toEqual(expect.arrayContaining(['patch', 'procps-ng', 'tar', 'unzip', 'wget', 'xz']));
    expect(root.read('opt/agent-image/installed/wget')).toBe(`${listedAs}\n\n`);
  });

  test('keeps the tools that it has without a way to ask where they are', async () => {
    rmSync(join(root.directory, 'bin/readlink'));
    root.command('wget', 'echo wget2 2.1.0');
    await root.run(image.scripts.packages);
    expect(root.read('log').split(/\s/)).not.toContain('wget');
  });

  test('has them checked and listed, and a user with a home', async () => {
    await root.run(image.scripts.packages);
    expect(await root.run(image.scripts.verify)).toMatchObject({ exitCode: 0 });
    const { tools } = JSON.parse(root.read('etc/agent-image.json')) as { tools: { name: string; version: string; installedBy: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(['bash', 'git', ...TOOLS.map(({ name }) => name)]);
    for (const tool of tools) expect(tool).toMatchObject({ version: '1.2.3', installedBy: listedAs });
    expect(root.read('etc/passwd')).toContain('agent:x:1000:1000::/home/agent:/bin/bash');
    expect(existsSync(join(root.directory, 'home/agent'))).toBe(true);
  });

  test('keeps what it has already', async () => {
    root.command('curl', 'echo curl-minimal 8.0.0');
    await root.run(image.scripts.packages);
    await root.run(image.scripts.verify);
    expect(root.read('log').split(' ')).not.toContain('curl');
    expect(root.read('etc/agent-image.json')).toContain('{ "name": "curl", "version": "8.0.0", "installedBy": "base image", "verify": "curl --version" }');
  });

  test('does not ask for what a runtime needs and is there already, under another package\'s name', async () => {
    const rust = assetOf(AgentImage.fromDirectory(agent, { command: ['x'], tools: [DevTool.rust('1.90')] }));
    root.command('curl', 'echo curl-minimal 8.0.0');
    await root.run(rust.scripts.packages);
    expect(root.read('log').split(/\s/)).not.toContain('curl');

    rmSync(join(root.directory, 'usr/bin/curl'));
    await root.run(rust.scripts.packages);
    expect(root.read('log').split(/\s/)).toContain('curl');
  });

  test('fails with the name of a tool that is gone when the build ends', async () => {
    await root.run(image.scripts.packages);
    rmSync(join(root.directory, 'usr/bin/rg'));
    rmSync(join(root.directory, 'usr/bin/ssh'));
    const { exitCode, stderr } = await root.run(image.scripts.verify);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("agent-image: the tool ripgrep is missing: 'rg --version' failed");
    expect(stderr).toContain('agent-image: the image lacks: openssh-client ripgrep');
  });
});

describe('a base with dnf', () => {
  test('fails for a package that it does not have', async () => {
    const root = await FakeRoot.create('dnf', FEDORA);
    const agent = directoryOf({ 'agent.js': '' });
    const { scripts } = assetOf(AgentImage.fromDirectory(agent, { command: ['x'], tools: [DevTool.osPackages('libpq-dev')] }));
    const { exitCode, stderr } = await root.run(scripts.packages);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('no such package: libpq-dev');
    root.remove();
    rmSync(agent, { recursive: true });
  });
});

describe('the token for GitHub', () => {
  const TELL = 'echo "$0: ${MISE_GITHUB_TOKEN-none} ${GITHUB_TOKEN-none}" >> /told';
  let root: FakeRoot;
  let agent: string;

  beforeEach(async () => {
    root = await FakeRoot.create('apk', ALPINE);
    agent = directoryOf({ 'agent.js': '' });
    for (const directory of ['run/secrets', 'opt/tool/bin']) mkdirSync(join(root.directory, directory), { recursive: true });
    for (const name of ['npm', 'python3']) root.command(name, TELL);
    root.command('mise', `${TELL}\ncase "$1" in bin-paths) echo /opt/tool/bin ;; where) echo /opt/tool/1.0.0 ;; *) echo 2026.9.11 ;; esac`);
    symlinkSync('/usr/bin/mise', join(root.directory, 'run/mise'));
  });

  afterEach(() => {
    root.remove();
    rmSync(agent, { recursive: true });
  });

  async function toldBy(tools: DevTool[]): Promise<string[]> {
    const { scripts } = assetOf(AgentImage.fromDirectory(agent, {
      command: ['x'],
      tools: [...tools, DevTool.npm('semver', '7.6.3'), DevTool.pip('six', '1.16.0'), DevTool.custom({ name: 'own', install: TELL, verify: 'true' })],
      buildSecrets: { GITHUB_TOKEN: 'env=GITHUB_TOKEN' },
    }));
    expect(await root.run(scripts.runtimes!)).toMatchObject({ exitCode: 0, stderr: '' });
    return [...new Set(root.read('told').trim().split('\n'))];
  }

  test('is given to mise, and to no installer after it', async () => {
    root.write('run/secrets/GITHUB_TOKEN', 'secret');
    expect(await toldBy([DevTool.nodejs('22')])).toEqual([
      '/run/mise: secret none', '/usr/bin/npm: none none', '/usr/bin/python3: none none', 'sh: none none',
    ]);
  });

  test('need not be there', async () => {
    expect(await toldBy([DevTool.nodejs('22')])).toContain('/run/mise: none none');
  });
});
