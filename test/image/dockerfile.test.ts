import { rmSync } from 'fs';
import { AgentImage, type AgentImageOptions, DevTool } from '../../src';
import { imageOf } from '../support/image-assets';
import { directoryOf } from '../support/image-parts';
import { messageOf } from '../support/stacks';

/** Dockerfiles as people write them, and the result. */

const PACKAGES = 'RUN --mount=type=bind,source=.agent-image,target=/run/agent-image ["/bin/sh", "/run/agent-image/packages-';
const VERIFY = 'RUN --mount=type=bind,source=.agent-image,target=/run/agent-image ["/bin/sh", "/run/agent-image/verify-';
const CACHES = 'ENV XDG_CACHE_HOME="/var/cache/agent/xdg"';

const directories: string[] = [];

function directoryWith(text: string, file = 'Dockerfile'): string {
  const directory = directoryOf({ [file]: text });
  directories.push(directory);
  return directory;
}

afterEach(() => directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true })));

function amended(text: string, options: AgentImageOptions = {}): string {
  return imageOf(directoryWith(text, options.file), options).dockerfile;
}

/** Returns the Dockerfile with our parts shortened: one word for each of our instructions, and no comments of ours. */
function shape(text: string, options: AgentImageOptions = {}): string[] {
  return amended(text, options).split(/\r?\n/).filter((line) => !/^# .*by cdk-agentcore-workbench$/.test(line)).map((line) => {
    if (line.startsWith(PACKAGES)) return '<packages>';
    if (line.startsWith(VERIFY)) return '<verify>';
    if (line.startsWith(CACHES)) return '<caches>';
    return line;
  });
}

function faultOf(text: string, options: AgentImageOptions = {}): string {
  return messageOf(() => AgentImage.fromDirectory(directoryWith(text, options.file), options));
}

describe('tools in a Dockerfile', () => {
  test.each<[title: string, text: string, lines: string[]]>([
    ['a single stage', 'FROM debian\nRUN make\nCMD ["x"]\n', ['FROM debian', '<packages>', 'RUN make', 'CMD ["x"]', '<verify>', '<caches>', '']],
    ['no newline at the end', 'FROM debian\nRUN make', ['FROM debian', '<packages>', 'RUN make', '<verify>', '<caches>', '']],
    ['nothing but FROM', 'FROM debian', ['FROM debian', '<packages>', '<verify>', '<caches>', '']],
    ['lower case', 'from debian\nrun make', ['from debian', '<packages>', 'run make', '<verify>', '<caches>', '']],
    [
      'several stages, of which the last one is built',
      'FROM golang AS build\nRUN go build\nFROM debian\nCOPY --from=build /x /x\n',
      ['FROM golang AS build', 'RUN go build', 'FROM debian', '<packages>', 'COPY --from=build /x /x', '<verify>', '<caches>', ''],
    ],
    [
      'an ARG before FROM and a syntax line',
      '# syntax=docker/dockerfile:1\nARG TAG=12\nFROM debian:${TAG}\nRUN make\n',
      ['# syntax=docker/dockerfile:1', 'ARG TAG=12', 'FROM debian:${TAG}', '<packages>', 'RUN make', '<verify>', '<caches>', ''],
    ],
    [
      'settings before the first step',
      'FROM debian\nLABEL a=b\nENV A=1\nWORKDIR /srv\nCOPY . .\nENTRYPOINT ["/x"]\n',
      ['FROM debian', 'LABEL a=b', 'ENV A=1', 'WORKDIR /srv', '<packages>', 'COPY . .', 'ENTRYPOINT ["/x"]', '<verify>', '<caches>', ''],
    ],
    [
      'here-documents that look like instructions',
      'FROM debian\nRUN <<EOF\nFROM fake\nUSER fake\nEOF\nCOPY <<A <<B /x/\nUSER a\nA\nRUN b\nB\n',
      ['FROM debian', '<packages>', 'RUN <<EOF', 'FROM fake', 'USER fake', 'EOF', 'COPY <<A <<B /x/', 'USER a', 'A', 'RUN b', 'B', '<verify>', '<caches>', ''],
    ],
    [
      'ONBUILD, which is for other images',
      'FROM debian\nONBUILD USER app\nONBUILD RUN make\nRUN make\n',
      ['FROM debian', 'ONBUILD USER app', 'ONBUILD RUN make', '<packages>', 'RUN make', '<verify>', '<caches>', ''],
    ],
    [
      'continued lines, comments in between and an escape directive',
      '# escape=`\nFROM debian\n# a comment\nRUN a && `\n  # inside\n  b\n# the end\n',
      ['# escape=`', 'FROM debian', '# a comment', '<packages>', 'RUN a && `', '  # inside', '  b', '# the end', '<verify>', '<caches>', ''],
    ],
    [
      'a user by number',
      'FROM debian\nUSER 1000:1000\nRUN make\n',
      ['FROM debian', 'USER 1000:1000', 'USER 0', '<packages>', 'USER 1000:1000', 'RUN make', 'USER 0', '<verify>', '<caches>', 'USER 1000:1000', ''],
    ],
    [
      'a user that changes on the way',
      'FROM debian\nUSER root\nRUN useradd -m -u 1001 app\nUSER app\nRUN make\n',
      ['FROM debian', 'USER root', '<packages>', 'RUN useradd -m -u 1001 app', 'USER app', 'RUN make', 'USER 0', '<verify>', '<caches>', 'USER 1001', ''],
    ],
    [
      'a user of the stage that the last one builds on',
      'FROM node:22 AS Base\nUSER node\nFROM base\nRUN make\n',
      ['FROM node:22 AS Base', 'USER node', 'FROM base', 'USER 0', '<packages>', 'USER node', 'RUN make', 'USER 0', '<verify>', '<caches>', 'USER 1000', ''],
    ],
  ])('are inserted before the first step and checked at the end: %s', (_, text, lines) => {
    expect(shape(text)).toEqual(lines);
  });

  test('keep Windows line endings', () => {
    const text = amended('FROM debian\r\nRUN <<EOF\r\nUSER fake\r\nEOF\r\nCMD x\r\n');
    expect(text.replace(/\r\n/g, '')).not.toContain('\n');
    expect(shape('FROM debian\r\nRUN make\r\n')).toEqual(['FROM debian', '<packages>', 'RUN make', '<verify>', '<caches>', '']);
  });

  const STAGES = 'FROM debian AS Dev\nRUN dev\nFROM debian AS prod\nRUN prod\n';

  test.each([['dev'], ['DEV'], ['0']])('are inserted into the target: %s', (target) => {
    expect(shape(STAGES, { target })).toEqual(
      ['FROM debian AS Dev', '<packages>', 'RUN dev', '<verify>', '<caches>', 'FROM debian AS prod', 'RUN prod', '']);
  });

  test('are inserted into the given file', () => {
    const image = imageOf(directoryWith('FROM debian\n', 'docker/Agent.Dockerfile'), { file: 'docker/Agent.Dockerfile' });
    expect(image.source.dockerFile).toBe('docker/Agent.Dockerfile');
    expect(image.dockerfile).toContain(PACKAGES);
  });

  test('do not change a cache directory that the Dockerfile sets', () => {
    expect(amended('FROM debian\nENV npm_config_cache=/mine UV_CACHE_DIR=/too\n')).not.toMatch(/npm_config_cache="|UV_CACHE_DIR="/);
  });

  test('are on PATH before they are used', () => {
    const text = amended('FROM debian\nRUN make\n', { tools: [DevTool.nodejs('22'), DevTool.npm('semver', '7.6.3')] });
    expect(text.indexOf('ENV PATH="/opt/npm/bin:/opt/mise/path/node:${PATH}"')).toBeLessThan(text.indexOf('/runtimes-'));
    expect(text.indexOf('/runtimes-')).toBeLessThan(text.indexOf('RUN make'));
  });
});

describe('the user of a Dockerfile', () => {
  test.each<[text: string, user: string]>([
    ['RUN useradd --uid 1001 app\nUSER app', '1001'],
    ['RUN useradd --uid=1001 app\nUSER app', '1001'],
    ['RUN addgroup -g 2000 team && adduser -D -u 1001 -G team app\nUSER app:team', '1001:2000'],
    ['RUN groupadd -g 2000 app && useradd -g users -u 1001 app\nUSER app:app', '1001:2000'],
    ['RUN useradd -u 1001 app\nUSER app:app', '1001'],
    ['RUN groupadd --gid 2000 team; /usr/sbin/useradd -m -g team -u "1001" \\\n  app\nUSER app', '1001'],
    ['RUN <<EOF\nuseradd -u 1001 app\nEOF\nUSER app', '1001'],
    ['ARG ID=1001\nRUN useradd -u $ID app\nUSER ${NAME:-app}', '1001'],
    ['ENV NAME app\nARG ID=1002\nRUN useradd -u ${ID} ${NAME}\nUSER ${NAME:+$NAME}', '1002'],
    ['USER "node"', '1000'],
    ['USER root', '0'],
    ['USER nobody:nobody', '65534'],
    ['USER 1001:root', '1001:0'],
    ['USER ${ID:-1003}', '1003'],
  ])('becomes a number: %j', (text, user) => {
    expect(amended(`FROM debian\n${text}\n`).trim().split('\n').pop()).toBe(`USER ${user}`);
  });

  test('is the one that a build argument sets', () => {
    expect(amended('ARG ID=1\nFROM debian\nARG ID\nUSER $ID', { buildArgs: { ID: '1234' } }).trim()).toMatch(/USER 1234$/);
    expect(amended('ARG ID=1\nFROM debian\nARG ID\nUSER $ID').trim()).toMatch(/USER 1$/);
    expect(faultOf('ARG ID=1\nFROM debian\nUSER $ID')).toContain("does not contain the number of USER '$ID'");
  });

  test('is not resolved from an argument of its parent stage, only from a variable', () => {
    expect(faultOf('FROM debian AS base\nARG ID=1001\nFROM base\nUSER $ID')).toContain("does not contain the number of USER '$ID'");
    expect(amended('FROM debian AS base\nENV ID=1001\nFROM base\nUSER $ID').trim()).toMatch(/USER 1001$/);
  });

  test('is the given one, whatever the Dockerfile says', () => {
    expect(amended('FROM debian\nUSER someone', { user: '1000:1000' }).trim()).toMatch(/USER 1000:1000$/);
  });

  test('is that of the base image if none is set', () => {
    expect(amended('FROM debian\nRUN make\n')).not.toMatch(/^USER/m);
  });

  test('is compared with the name during the build, if a number replaced the name', () => {
    const scripts = (text: string) => imageOf(directoryWith(text)).scripts.verify;
    expect(scripts('FROM debian\nUSER node')).toContain("$(id -u 'node')");
    expect(scripts('FROM debian\nUSER node')).not.toContain('/etc/group');
    expect(scripts('FROM debian\nUSER 1000')).not.toContain('id -u \'');
    expect(scripts('FROM debian\nUSER root:root')).not.toMatch(/id -u '|etc.group/);
  });

  test.each(['USER app', 'RUN useradd app\nUSER app', 'RUN useradd -u 1001 app\nUSER app:team', 'USER a:b:c'])(
    'fails if its number is unknown, and says how to give it: %j', (text) => {
      const message = faultOf(`FROM debian\n${text}\n`);
      expect(message).toContain('does not contain the number of USER');
      expect(message).toContain("use a number such as '1000', or create the user");
    });
});

describe('an invalid Dockerfile', () => {
  test.each<[fault: string, text: string]>([
    ['it has no FROM', ''],
    ['it has no FROM', '# only a comment\n'],
    ["line 2: 'RUNN' is not an instruction of a Dockerfile", 'FROM debian\nRUNN make\n'],
    ['line 1: RUN comes before the first FROM', 'RUN make\nFROM debian\n'],
    ['line 1: FROM has no argument', 'FROM\n'],
    ['line 3: USER has no argument', 'FROM debian\n\nUSER\n'],
    ["line 2: the here-document 'EOF' has no end", 'FROM debian\nRUN <<EOF\nmake\n'],
    ["not 'scratch' (Dockerfile line 1)", 'FROM scratch\nCOPY . .\n'],
    ["not 'scratch' (Dockerfile line 2)", 'ARG BASE=scratch\nFROM ${BASE} AS a\nFROM a\n'],
    ["not 'linux/amd64' (Dockerfile line 1)", 'FROM --platform=linux/amd64 debian\n'],
    ["not '$BUILDPLATFORM' (Dockerfile line 1)", 'FROM --platform=$BUILDPLATFORM debian\n'],
  ])('fails with the place: %s', (fault, text) => {
    expect(faultOf(text)).toContain(fault);
  });

  test('fails for all of its faults together, with the call that they belong to', () => {
    const message = faultOf('RUN x\nFROM debian\nFOO\nUSER\n');
    expect(message.split('\n')).toEqual([
      expect.stringContaining('line 3'), expect.stringContaining('line 4'), expect.stringContaining('line 1'), expect.stringContaining("AgentImage.fromDirectory('"),
    ]);
  });

  test.each(['linux/arm64', 'linux/arm64/v8', '$TARGETPLATFORM', '${TARGETPLATFORM}'])('may name the platform %s', (platform) => {
    expect(shape(`FROM --platform=${platform} debian\n`)).toContain('<packages>');
  });

  test('may have unused stages of another platform, or from scratch', () => {
    expect(shape('FROM --platform=$BUILDPLATFORM golang AS build\nRUN x\nFROM scratch AS data\nFROM debian\nCOPY --from=build /x /x\n')).toContain('<packages>');
  });

  test('fails if it lacks the target, with the targets that it has', () => {
    expect(faultOf('FROM debian AS dev\nFROM debian AS prod\n', { target: 'test' })).toContain(
      "\"target\" must be a stage of Dockerfile, not 'test': use 'dev', 'prod'");
    expect(faultOf('FROM debian\n', { target: '1' })).toContain('it has no named stages');
  });
});
