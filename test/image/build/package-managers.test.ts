import { existsSync, rmSync } from 'fs';
import { join } from 'path';
import { AgentImage, DevTool } from '../../../src';
import { ALPINE, FEDORA, FakeRoot, type Repository } from '../../support/fake-root';
import { type ImageAsset, assetOf } from '../../support/image-assets';
import { directoryOf } from '../../support/image-parts';

/**
 * The scripts on distributions that this project cannot build, because no available registry has their base images. The root file system
 * is BusyBox alone, with a package manager that knows the package names of the real one, refuses any other name, and
 * installs stand-ins for their commands. This does not test the content of the real packages.
 */

const TOOLS = [
  DevTool.BUILD_ESSENTIAL, DevTool.CMAKE, DevTool.CURL, DevTool.GIT_LFS, DevTool.GNUPG, DevTool.JQ, DevTool.OPENSSH_CLIENT, DevTool.PATCH,
  DevTool.PKG_CONFIG, DevTool.PROCPS, DevTool.PYTHON3, DevTool.RIPGREP, DevTool.RSYNC, DevTool.SHELLCHECK, DevTool.SQLITE, DevTool.TAR, DevTool.UNZIP,
  DevTool.WGET, DevTool.XZ, DevTool.ZIP,
];

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

  test('gets every tool of the operating system under its own package names, in one call', async () => {
    expect(await root.run(image.scripts.packages)).toMatchObject({ exitCode: 0, stderr: '' });
    const [call, ...others] = root.read('log').trim().split('\n').filter((line) => line !== 'clean all');
    expect(call).toMatch(install);
    expect(others).toEqual([]);
  });

  test('gets the real tools where BusyBox stands in for them', async () => {
    await root.run(image.scripts.packages);
    const packages = root.read('log').split(/\s/);
    expect(packages).toEqual(expect.arrayContaining(['patch', 'procps-ng', 'tar', 'unzip', 'wget', 'xz']));
    expect(root.read('opt/agent-image/installed/wget')).toBe(`${listedAs}\n\n`);
  });

  test('keeps existing tools if they cannot be located', async () => {
    rmSync(join(root.directory, 'bin/readlink'));
    root.command('wget', 'echo wget2 2.1.0');
    await root.run(image.scripts.packages);
    expect(root.read('log').split(/\s/)).not.toContain('wget');
  });

  test('has the tools checked and listed, and has a user with a home directory', async () => {
    await root.run(image.scripts.packages);
    expect(await root.run(image.scripts.verify)).toMatchObject({ exitCode: 0 });
    const { tools } = JSON.parse(root.read('etc/agent-image.json')) as { tools: { name: string; version: string; installedBy: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(['bash', 'git', ...TOOLS.map(({ name }) => name)]);
    for (const tool of tools) expect(tool).toMatchObject({ version: '1.2.3', installedBy: listedAs });
    expect(root.read('etc/passwd')).toContain('agent:x:1000:1000::/home/agent:/bin/bash');
    expect(existsSync(join(root.directory, 'home/agent'))).toBe(true);
  });

  test('keeps what is already installed', async () => {
    root.command('curl', 'echo curl-minimal 8.0.0');
    await root.run(image.scripts.packages);
    await root.run(image.scripts.verify);
    expect(root.read('log').split(' ')).not.toContain('curl');
    expect(root.read('etc/agent-image.json')).toContain('{ "name": "curl", "version": "8.0.0", "installedBy": "base image", "verify": "curl --version" }');
  });

  test('does not install a requirement of a runtime that another package already provides', async () => {
    const rust = assetOf(AgentImage.fromDirectory(agent, { command: ['x'], tools: [DevTool.rust('1.90')] }));
    root.command('curl', 'echo curl-minimal 8.0.0');
    await root.run(rust.scripts.packages);
    expect(root.read('log').split(/\s/)).not.toContain('curl');

    rmSync(join(root.directory, 'usr/bin/curl'));
    await root.run(rust.scripts.packages);
    expect(root.read('log').split(/\s/)).toContain('curl');
  });

  test('fails with the name of a tool that is missing when the build ends', async () => {
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
