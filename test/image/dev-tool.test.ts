import { Lazy } from 'aws-cdk-lib';
import { DevTool } from '../../src';
import { PINNED_VERSIONS } from '../../src/image/versions';
import { messageOf } from '../support/stacks';

const UNRESOLVED = Lazy.string({ produce: () => '22' });

describe('the version of a tool', () => {
  test.each<[tool: DevTool, version: string]>([
    [DevTool.nodejs('22'), PINNED_VERSIONS.node[22]],
    [DevTool.python('3.12'), PINNED_VERSIONS.python['3.12']],
    [DevTool.java('21'), PINNED_VERSIONS.java[21]],
    [DevTool.go('1.24'), PINNED_VERSIONS.go['1.24']],
    [DevTool.rust('1.90'), PINNED_VERSIONS.rust['1.90']],
    [DevTool.bun(), PINNED_VERSIONS.bun[1]],
    [DevTool.deno(), PINNED_VERSIONS.deno[2]],
    [DevTool.uv(), PINNED_VERSIONS.uv['0.13']],
    [DevTool.githubCli(), PINNED_VERSIONS['github-cli'][2]],
    [DevTool.awsCli(), PINNED_VERSIONS['aws-cli'][2]],
  ])('is pinned in full if a release line is given: %s', (tool, version) => {
    expect(version).toMatch(/\d+\.\d+\.\d+/);
    expect(tool.version).toBe(version);
    expect(tool._entries[0].floating).toBeUndefined();
  });

  test('is used unchanged if it is a full one', () => {
    expect(DevTool.nodejs('22.1.0').version).toBe('22.1.0');
    expect(DevTool.java('corretto-21.0.8.9.1').version).toBe('corretto-21.0.8.9.1');
    expect(DevTool.mise('terraform', '1.9.5').toString()).toBe('terraform 1.9.5');
  });

  test('is that of the base image for a tool from its package manager', () => {
    expect(DevTool.GIT.version).toBeUndefined();
    expect(DevTool.GIT.toString()).toBe('git');
    expect(DevTool.osPackages('libpq-dev', 'file').name).toBe('libpq-dev, file');
  });

  test.each([
    DevTool.nodejs('latest'), DevTool.nodejs('18'), DevTool.python('3.9'), DevTool.mise('terraform', 'latest'), DevTool.mise('terraform', '1'),
    DevTool.npm('semver', 'latest'), DevTool.npm('semver', 'next'), DevTool.pip('pytest', 'latest'),
  ])('causes a warning if it is not pinned: %s', (tool) => {
    expect(tool._entries[0].floating).toBe(tool.version);
    expect(tool._entries[0].expect).toBeUndefined();
  });

  test.each([
    DevTool.mise('ktfmt', '0.64'), DevTool.mise('buildifier', '20240101'), DevTool.npm('@scope/tool', '1.2.3-rc.1'), DevTool.npm('tool', '1.2.3+build.7'),
    DevTool.pip('six', '1.16.0'), DevTool.pip('six', '1.16'), DevTool.pip('six', '2'),
  ])('causes no warning if it may be a full one: %s', (tool) => {
    expect(tool._entries[0].floating).toBeUndefined();
  });

  test.each(['5', '5.9', '7.x', '7.X', 'x', '7.1.x', 'v5', 'v5.9.2', '5.x.x'])(
    'fails where npm would take the newest of several: %s', (version) => {
      expect(messageOf(() => DevTool.npm('typescript', version))).toBe(
        `"version" must be a full version, not the range "${version}": use all three numbers, such as '5.9.2', or a tag such as 'latest', which causes a warning\n`
        + '  at DevTool.npm("typescript", …)');
    });

  test.each(['latest', 'next', 'latest-7', '0.72-stable', 'experimental'])('may be an npm dist-tag, with a warning: %s', (tag) => {
    expect(DevTool.npm('typescript', tag)._entries[0]).toMatchObject({ floating: tag, expect: undefined });
  });

  test.each(['1.x', 'next', 'stable', 'v1.16', '1.0-rc.1', '1.0RC1', '1..0', '1.'])('fails if pip has no such version: %s', (version) => {
    expect(messageOf(() => DevTool.pip('six', version))).toContain(`"version" must be a version of PyPI, not "${version}": use one`);
  });

  test.each(['2.0.0rc1', '1.0.post1', '1.0.dev3', '2024.7.4', '2.3.0+cu121'])('may have any form that PyPI shows: %s', (version) => {
    expect(DevTool.pip('six', version)._entries[0]).toMatchObject({ expect: version });
  });
});

describe('the check of a tool', () => {
  test('expects its version if it is known, without vendor and build number', () => {
    expect(DevTool.java('21')._entries[0]).toMatchObject({ verify: 'java -version && javac -version', expect: '21.0.12' });
    expect(DevTool.nodejs('22.1.0')._entries[0].expect).toBe('22.1.0');
    expect(DevTool.python('3.15.0rc1')._entries[0].expect).toBe('3.15.0rc1');
    expect(DevTool.npm('tool', '1.2.3-rc.1+build.7')._entries[0].expect).toBe('1.2.3-rc.1');
    expect(DevTool.pip('certifi', '2024.07.04')._entries[0].expect).toBe('2024.7.4');
    expect(DevTool.pip('six', '1.16.0')._entries[0].expect).toBe('1.16');
  });

  test.each<[asked: string, says: string | undefined]>([
    ['21.0.2', '21.0.2'],
    ['openjdk-21.0.2', '21.0.2'],
    ['temurin-25.0.0+36.0.LTS', '25'],
    ['temurin-11.0.14.1+1', '11.0.14.1'],
    ['semeru-openj9-21.0.8+9_openj9-0.53.0', '21.0.8'],
    ['graalvm-community-21.0.2', '21.0.2'],
    ['corretto-21.0.8.9.1', '21.0.8.9.1'],
    ['microsoft-11.0.13.8.1', undefined],
    ['zulu-17.60.17.0', undefined],
    ['graalvm-22.3.1+java17', undefined],
    ['temurin-8.0.462+8', undefined],
  ])('expects the Java version %s if it is that of the JDK', (asked, says) => {
    expect(DevTool.java(asked)._entries[0].expect).toBe(says);
  });

  test('has a command for each tool of the operating system', () => {
    expect(DevTool.RIPGREP._entries[0].verify).toBe('rg --version');
    expect(DevTool.OPENSSH_CLIENT._entries[0].verify).toBe('ssh -V');
  });

  test('asks the package manager about a package without a known command', () => {
    expect(DevTool.osPackages('libpq-dev')._entries[0].verify).toBeUndefined();
  });

  test('is that of the known tool if a package is given by its name in any distribution', () => {
    for (const name of ['openssh-client', 'openssh-clients']) {
      expect(DevTool.osPackages(name)._entries).toEqual(DevTool.OPENSSH_CLIENT._entries);
    }
  });
});

describe('a name or version that a shell could interpret', () => {
  const BAD = ['', ' ', '; rm -rf /', '$(id)', '`id`', 'a b', "a'b", 'a"b', 'a\nRUN x', '-rf', '../x y', 'a&&b', 'a|b', '>x', '*', 'a\\b', '^1.2.3', '1.x || 2'];

  test.each(BAD)('fails as a version: %j', (version) => {
    for (const tool of [DevTool.nodejs, DevTool.python, DevTool.bun, DevTool.awsCli]) {
      expect(messageOf(() => tool.call(DevTool, version))).toMatch(/^"version" must /);
    }
    for (const tool of [DevTool.mise, DevTool.npm, DevTool.pip]) {
      expect(messageOf(() => tool.call(DevTool, 'terraform', version))).toMatch(/^"version" must /);
    }
  });

  test.each(BAD.filter((name) => !name.startsWith('^')))('fails as a name: %j', (name) => {
    expect(messageOf(() => DevTool.mise(name, '1'))).toMatch(/^"tool" must /);
    expect(messageOf(() => DevTool.npm(name, '1'))).toMatch(/^"packageName" must /);
    expect(messageOf(() => DevTool.pip(name, '1'))).toMatch(/^"packageName" must /);
    expect(messageOf(() => DevTool.osPackages('git', name))).toMatch(/^"name" must /);
    expect(messageOf(() => DevTool.custom({ name, install: 'x', verify: 'x' }))).toMatch(/^"name" must /);
  });

  test('fails with the allowed values, and with the call that it belongs to', () => {
    expect(messageOf(() => DevTool.nodejs('22;x'))).toBe(
      '"version" must have only letters, digits and . _ + - (not first), since it becomes part of a shell command, not "22;x": correct it\n  at DevTool.nodejs(…)');
  });

  test('fails if it is not known when the image is built', () => {
    expect(messageOf(() => DevTool.nodejs(UNRESOLVED))).toContain('"version" must be known at synth, not a token');
    expect(messageOf(() => DevTool.npm(UNRESOLVED, '1.0.0'))).toContain('"packageName" must be known at synth, not a token');
  });

  test('fails above 214 characters, but not at 214', () => {
    expect(messageOf(() => DevTool.npm('a'.repeat(215), '1.0.0'))).toContain('must have at most 214 characters, not 215');
    expect(DevTool.npm('a'.repeat(214), '1.0.0').version).toBe('1.0.0');
  });

  test('fails for an empty list of packages, and for a custom tool without commands', () => {
    expect(messageOf(() => DevTool.osPackages())).toContain('"name" must not be empty');
    expect(messageOf(() => DevTool.custom({ name: 'x', install: ' ', verify: 'x' }))).toContain('"install" must not be empty');
    expect(messageOf(() => DevTool.custom({ name: 'x', install: 'x', verify: '' }))).toContain('"verify" must not be empty');
    expect(messageOf(() => DevTool.custom({ name: 'x', install: 'a\0b', verify: 'x' }))).toContain('"install" must have only text without NUL characters');
  });
});
