import { mkdirSync, rmSync, symlinkSync } from 'fs';
import { join } from 'path';
import { AgentImage, DevTool } from '../../../src';
import { ALPINE, FakeRoot } from '../../support/fake-root';
import { assetOf } from '../../support/image-assets';
import { directoryOf } from '../../support/image-parts';

/** Tests how the scripts process the answers of tools, in a root file system of BusyBox with stand-ins for the tools. */

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

  test('is passed to mise, and to no installer after it', async () => {
    root.write('run/secrets/GITHUB_TOKEN', 'secret');
    expect(await toldBy([DevTool.nodejs('22')])).toEqual([
      '/run/mise: secret none', '/usr/bin/npm: none none', '/usr/bin/python3: none none', 'sh: none none',
    ]);
  });

  test('is optional', async () => {
    expect(await toldBy([DevTool.nodejs('22')])).toContain('/run/mise: none none');
  });
});

describe('a tool that prints its version', () => {
  test.each<[tool: DevTool, command: string, says: string, passes: boolean]>([
    [DevTool.nodejs('22.1.0'), 'node', 'v22.1.0', true],
    [DevTool.nodejs('22.1.0'), 'node', 'v122.1.0', false],
    [DevTool.python('3.12.1'), 'python3', 'Python 3.12.1', true],
    [DevTool.python('3.12.1'), 'python3', 'Python 3.12.16', false],
    [DevTool.python('3.15.0'), 'python3', 'Python 3.15.0rc1', false],
    [DevTool.python('3.15.0rc1'), 'python3', 'Python 3.15.0rc1', true],
    [DevTool.go('1.26.10'), 'go', 'go version go1.26.10 linux/arm64', true],
    [DevTool.go('1.26.10'), 'go', 'go version go1x26.10 linux/arm64', false],
    [DevTool.awsCli('2.37.6'), 'aws', 'aws-cli/2.37.6 Python/3.14.0', true],
    [DevTool.uv('0.13.9'), 'uv', 'uv 0.13.9.', true],
    [DevTool.java('21'), 'java', 'openjdk version "21.0.12" 2026-07-21 LTS', true],
    [DevTool.java('temurin-25.0.0+36.0.LTS'), 'java', 'openjdk version "25" 2025-09-16 LTS', true],
    [DevTool.java('temurin-25.0.0+36.0.LTS'), 'java', 'openjdk version "25.0.1" 2025-10-21 LTS', false],
    [DevTool.java('semeru-openj9-21.0.8+9_openj9-0.53.0'), 'java', 'openjdk version "21.0.8" 2025-07-15 LTS', true],
    [DevTool.java('semeru-openj9-21.0.8+9_openj9-0.53.0'), 'java', 'openjdk version "21.0.9" 2025-10-21 LTS\nEclipse OpenJ9 VM', false],
    [DevTool.java('corretto-21.0.8.9.1'), 'java', 'openjdk version "21.0.8"\nOpenJDK Runtime Environment Corretto-21.0.8.9.1 (build 21.0.8+9-LTS)', true],
    [DevTool.java('zulu-17.60.17.0'), 'java', 'openjdk version "17.0.16" 2025-07-15 LTS', true],
    [DevTool.pip('six', '1.16'), 'python3', 'Version: 1.16.0', true],
    [DevTool.pip('six', '1.16.0'), 'python3', 'Version: 1.16', true],
    [DevTool.pip('six', '1.16'), 'python3', 'Version: 1.16.1', false],
    [DevTool.pip('torch', '2.3.0'), 'python3', 'Version: 2.3.0+cu121', true],
    [DevTool.pip('torch', '2.3.0+cu121'), 'python3', 'Version: 2.3.0+cu121', true],
    [DevTool.npm('semver', '7.6.3-rc.1'), 'node', '7.6.3-rc.1', true],
  ])('as %s, passes only if the version is correct: %s prints %s', async (tool, command, says, passes) => {
    const root = await FakeRoot.create('apk', ALPINE);
    for (const name of ['bash', 'git', 'npm', 'javac']) root.command(name, 'echo 0.0.0');
    root.command(command, `printf '${says}\\n'`);
    const agent = directoryOf({ 'agent.js': '' });
    const { exitCode, stderr } = await root.run(assetOf(AgentImage.fromDirectory(agent, { command: ['x'], tools: [tool] })).scripts.verify);
    expect([exitCode, stderr.includes('another copy comes first on PATH')]).toEqual(passes ? [0, false] : [1, true]);
    root.remove();
    rmSync(agent, { recursive: true });
  });
});

describe('a user that the Dockerfile names', () => {
  const APP = 'app:x:1001:100::/home/app:/bin/sh\n';
  const MAKE = 'RUN useradd -u 1001 app\n';

  async function checked(dockerfile: string, passwd: string, group: string, user?: string): Promise<string> {
    const root = await FakeRoot.create('apk', ALPINE);
    for (const name of ['bash', 'git']) root.command(name, 'echo 0.0.0');
    root.write('etc/passwd', `root:x:0:0::/root:/bin/sh\n${passwd}`);
    root.write('etc/group', `root:x:0:\n${group}`);
    const agent = directoryOf({ Dockerfile: `FROM alpine\n${dockerfile}` });
    const { exitCode, stderr } = await root.run(assetOf(AgentImage.fromDirectory(agent, { user })).scripts.verify);
    root.remove();
    rmSync(agent, { recursive: true });
    return exitCode === 0 ? 'as it was' : stderr.trim();
  }

  test('does not change if the group of the same name is its own', async () => {
    expect(await checked(`${MAKE}USER app:app`, APP, 'app:x:100:\nmy-app:x:1:\n')).toBe('as it was');
    expect(await checked('RUN addgroup -g 2000 app && adduser -u 1001 -G users app\nUSER app:app', APP, 'app:x:2000:\n')).toBe('as it was');
    expect(await checked('USER 1002:app', APP, 'app:x:0:\n', '1002')).toBe('as it was');
  });

  test.each<[dockerfile: string, user: string | undefined, has: string, not: string]>([
    [`${MAKE}USER app:app`, undefined, '2000', '100'],
    [`RUN groupadd -g 1999 app\n${MAKE}USER app:app`, undefined, '2000', '1999'],
    ['USER app:app', '1001', '2000', '100'],
    ['RUN groupadd -g 1999 app\nUSER 1001:app', undefined, '2000', '1999'],
    ['USER 1001:app', '1001', '2000', '100'],
  ])('fails if its group would change: %j with user %s', async (dockerfile, user, has, not) => {
    expect(await checked(dockerfile, APP, 'app:x:2000:\n', user))
      .toBe(`agent-image: the group 'app' has the number ${has}, not ${not}: give it to AgentImage as user: '1001:${has}'`);
  });

  test('passes once the group is given as the error says', async () => {
    expect(await checked(`${MAKE}USER app:app`, APP, 'app:x:2000:\n', '1001:2000')).toBe('as it was');
  });

  test('fails if it has another number, or does not exist', async () => {
    expect(await checked('USER node:node', 'node:x:1005:1005::/:/bin/sh\n', ''))
      .toBe("agent-image: the user 'node' has the number 1005, not 1000: give it to AgentImage as user: '1005'");
    expect(await checked('USER node', '', '')).toContain("agent-image: the image has no user 'node'");
  });

  test('is not compared if its name is a variable of the base image', async () => {
    expect(await checked('USER $APP_USER', APP, '', '1001')).toBe('as it was');
  });
});
