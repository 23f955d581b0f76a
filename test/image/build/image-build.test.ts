import { rmSync, writeFileSync } from 'fs';
import { join } from 'path';
import { type AgentImageOptions, DevTool } from '../../../src';
import { PINNED_VERSIONS } from '../../../src/image/versions';
import { type Build, ContainerStore } from '../../support/container-store';
import { imageOf } from '../../support/image-assets';
import { type NodeMirror, debianRootfs, directoryOf, importBase, importMise, startNodeMirror } from '../../support/image-parts';

/** Real builds: buildah builds the Dockerfile and scripts of the cloud assembly on Debian, and podman inspects the image. */
jest.setTimeout(300_000);

const NODE = PINNED_VERSIONS.node[22];
const BASE = 'public.ecr.aws/docker/library/debian:bookworm-slim';

let store: ContainerStore;
let mirror: NodeMirror;

beforeAll(async () => {
  store = new ContainerStore();
  mirror = await startNodeMirror();
  await importBase(store);
  await importMise(store);
});

afterAll(async () => {
  await mirror.close();
  await store.dispose();
});

async function build(files: { [path: string]: string }, tag: string, options: AgentImageOptions): Promise<Build> {
  const directory = directoryOf(files);
  try {
    const { context } = imageOf(directory, options);
    const built = await store.build(context, tag);
    // On a busy machine, buildah occasionally loses the last output of a step, and with it the reason why the step failed.
    return built.exitCode !== 0 && !built.stderr.includes('agent-image: ') ? await store.build(context, tag) : built;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Returns the output of a command in a container of the image, run as a session runs it. */
async function printed(image: string, command: string): Promise<string> {
  const { stdout, stderr } = await store.exec(image, 'bash', '-c', command);
  return (stdout + stderr).trim();
}

interface Manifest { readonly tools: { readonly name: string; readonly version: string; readonly installedBy: string }[] }

async function manifestOf(image: string): Promise<{ [name: string]: string }> {
  const { tools }: Manifest = JSON.parse(await printed(image, 'cat /etc/agent-image.json'));
  return Object.fromEntries(tools.map(({ name, version, installedBy }) => [name, `${version} by ${installedBy}`]));
}

describe('an image with a generated Dockerfile', () => {
  const IMAGE = 'written';
  const VERIFIES = {
    'bash': 'bash --version',
    'git': 'git --version',
    'curl': 'curl --version',
    'jq': 'jq --version',
    'ripgrep': 'rg --version',
    'python3': 'python3 --version && pip3 --version',
    'build-essential': 'cc --version && c++ --version && make --version',
    'node': 'node --version && npm --version && npx --version',
    'npm:semver': 'semver 1.2.3',
    'pip:six': 'python3 -c "import six"',
    'hello': 'hello',
  };
  let options: AgentImageOptions;
  let directory: string;
  let first: Build;

  beforeAll(async () => {
    options = {
      command: ['node', 'agent.js'],
      setup: ['node --check agent.js && touch checked'],
      tools: [
        DevTool.CURL, DevTool.JQ, DevTool.RIPGREP, DevTool.PYTHON3, DevTool.BUILD_ESSENTIAL,
        DevTool.nodejs('22'), DevTool.npm('semver', '7.6.3'), DevTool.pip('six', '1.16.0'), DevTool.osPackages('file', 'libxml2'),
        DevTool.custom({
          name: 'hello',
          install: 'for name in hello; do printf \'#!/bin/sh\\necho "it\'\\\'\'s 1.2.3"\\n\' > "/usr/local/bin/$name"; chmod +x "/usr/local/bin/$name"; done',
          verify: 'hello | grep "it\'s"',
        }),
      ],
      miseSettings: { MISE_NODE_MIRROR_URL: mirror.url },
    };
    directory = directoryOf({ 'agent.js': 'console.log("one")\n' });
    first = await store.build(imageOf(directory, options).context, IMAGE);
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  test('builds', () => {
    expect(first).toMatchObject({ exitCode: 0 });
  });

  test('gets Node.js from the mirror, through mise', () => {
    expect(mirror.requests).toContainEqual(expect.stringMatching(/^\/v22.*\.tar\.gz$/));
  });

  test.each(Object.entries(VERIFIES))('has %s in the plain bash -c of its user', async (_, command) => {
    expect(await store.exec(IMAGE, 'bash', '-c', command)).toMatchObject({ exitCode: 0 });
  });

  test('lists its tools with their versions and sources', async () => {
    expect(await manifestOf(IMAGE)).toEqual({
      'bash': expect.stringMatching(/^5\.\S+ by base image$/),
      'git': expect.stringMatching(/^2\.\S+ by apt$/),
      'curl': expect.stringMatching(/^\d+\.\S+ by apt$/),
      'jq': expect.stringMatching(/^1\.\S+ by apt$/),
      'ripgrep': expect.stringMatching(/^\d+\.\S+ by apt$/),
      'python3': expect.stringMatching(/^3\.\S+ by apt$/),
      'build-essential': expect.stringMatching(/^\d+\.\S+ by apt$/),
      'node': `${NODE} by mise 2026.9.11`,
      'npm:semver': '7.6.3 by npm',
      'pip:six': '1.16.0 by pip',
      'file': expect.stringMatching(/^1:5\.\S+ by apt$/),
      'libxml2': expect.stringMatching(/^2\.\S+ by apt$/),
      'hello': '1.2.3 by custom',
    });
  });

  test('runs as user 1000, who has a home directory', async () => {
    expect(await printed(IMAGE, 'id -u; echo "$HOME"; touch ~/mine && echo writable')).toBe('1000\n/home/agent\nwritable');
  });

  test('has the runtimes themselves on PATH: no mise, no shims, no script around npm', async () => {
    expect(await printed(IMAGE, 'command -v node; readlink -f "$(command -v npm)"; command -v mise; ls /opt/mise; ls -A /run | grep -v -e lock -e containerenv -e certificates'))
      .toBe(`/opt/mise/path/node/node\n/opt/mise/installs/node/${NODE}/lib/node_modules/npm/bin/npm-cli.js\ninstalls\npath`);
  });

  test('has the caches of its tools on ephemeral disk, writable by its user', async () => {
    expect(await printed(IMAGE, 'npm config get cache; python3 -m pip cache dir; npm cache verify >/dev/null && mkdir "$XDG_CACHE_HOME" && echo writable'))
      .toBe('/var/cache/agent/npm\n/var/cache/agent/pip\nwritable');
  });

  test('contains no package lists, downloads or caches', async () => {
    expect(await printed(IMAGE, 'ls -A /var/lib/apt/lists /var/cache/apt/archives/*.deb /tmp /var/cache/agent 2>/dev/null'))
      .toBe('/tmp:\n\n/var/cache/agent:\n\n/var/lib/apt/lists:');
  });

  test('runs the setup with the tools, in the directory of the application', async () => {
    expect(await printed(IMAGE, 'pwd; ls -A')).toBe('/app\nagent.js\nchecked');
  });

  test('has three layers more than its base, plus those of the application', async () => {
    const layers = (await store.inspect(IMAGE)).layers.length - (await store.inspect(BASE)).layers.length;
    expect(layers).toBe(3 + 2); // the files of the application, and one setup command
  });

  test('does not rebuild its tools after a change to the application', async () => {
    writeFileSync(join(directory, 'agent.js'), 'console.log("two")\n');
    const second = await store.build(imageOf(directory, options).context, IMAGE);
    expect(second.exitCode).toBe(0);
    const steps = second.output.split(/^STEP /m).filter((step) => step.includes('/run/agent-image/'));
    expect(steps).toHaveLength(3);
    for (const step of steps) expect(step).toContain('Using cache');
    expect(second.output).toMatch(/COPY application\/ \/app\/\n--> [0-9a-f]+\n/);
    expect(await printed(IMAGE, 'node agent.js')).toBe('two');
  });
});

describe('an image from the user\'s own Dockerfile', () => {
  test('keeps its user, steps and command, and provides the tools to all of them', async () => {
    const built = await build({
      '.dockerignore': '*\n!agent.sh\n',
      'secret.txt': 'not for the image',
      'agent.sh': 'id -u\n',
      'Dockerfile': [
        `FROM ${BASE} AS build`,
        'RUN touch /artifact',
        `FROM ${BASE}`,
        'ARG APP_UID=1234',
        'WORKDIR /srv',
        'RUN useradd --create-home --uid ${APP_UID} app && chown app . && jq --null-input 1 > steps-have-tools',
        'COPY --from=build /artifact /artifact',
        'COPY . .',
        'USER app:app',
        'RUN id -un > built-by',
        'CMD ["sh", "agent.sh"]',
      ].join('\n'),
    }, 'own', { tools: [DevTool.JQ] });
    expect(built).toMatchObject({ exitCode: 0 });
    expect(await store.exec('own')).toMatchObject({ exitCode: 0, stdout: '1234\n' });
    expect(await printed('own', 'cat built-by steps-have-tools; ls -A; jq --version >/dev/null && echo jq')).toBe(
      'app\n1\n.agent-image\nDockerfile\nagent.sh\nbuilt-by\nsteps-have-tools\njq');
    expect((await store.inspect('own')).config).toMatchObject({ User: '1234', Cmd: ['sh', 'agent.sh'] });
    expect(Object.keys(await manifestOf('own'))).toEqual(['bash', 'git', 'jq']);
  });

  test('fails with the name of the tool if a later step removes it', async () => {
    const built = await build({
      Dockerfile: `FROM ${BASE}\nRUN rm /usr/bin/jq\n`,
    }, 'broken', { tools: [DevTool.JQ, DevTool.CURL] });
    expect(built.exitCode).not.toBe(0);
    expect(built.stderr).toContain("agent-image: the tool jq is missing: 'jq --version' failed");
    expect(built.stderr).toContain('agent-image: the image lacks: jq\n');
  });

  test('fails if another version of a runtime comes first on PATH', async () => {
    const built = await build({
      Dockerfile: [
        `FROM ${BASE}`,
        'RUN mkdir /other && printf \'#!/bin/sh\\necho v18.0.0\\n\' > /other/node && chmod +x /other/node',
        'ENV PATH="/other:$PATH"',
      ].join('\n'),
    }, 'shadowed', { tools: [DevTool.nodejs('22')], miseSettings: { MISE_NODE_MIRROR_URL: mirror.url } });
    expect(built.exitCode).not.toBe(0);
    expect(built.stderr).toContain(`which is not version ${NODE}; another copy comes first on PATH`);
  });

  test('fails if the number of a named user is not the expected one', async () => {
    const built = await build({
      Dockerfile: `FROM ${BASE}\nRUN useradd --uid "$(echo 1005)" node\nUSER node\n`,
    }, 'misnumbered', {});
    expect(built.exitCode).not.toBe(0);
    expect(built.stderr).toContain("the user 'node' has the number 1005, not 1000: give it to AgentImage as user: '1005'");
  });

  test.each([
    ['npm', DevTool.npm('semver', '7.6.3'), '"npm:semver" needs npm: add DevTool.nodejs(…), or take a base that has it'],
    ['pip', DevTool.pip('six', '1.16.0'), '"pip:six" needs pip: add DevTool.python(…) or DevTool.PYTHON3, or take a base that has it'],
    ['a custom command', DevTool.custom({ name: 'own', install: 'exit 3', verify: 'true' }), 'the installation of "own" failed'],
  ])('fails with the missing package if %s cannot install a tool', async (_, tool, message) => {
    const built = await build({ Dockerfile: `FROM ${BASE}\n` }, 'incomplete', { tools: [tool] });
    expect(built.exitCode).not.toBe(0);
    expect(built.stderr).toContain(`agent-image: ${message}`);
  });

  test('fails on a base without a package manager', async () => {
    const built = await build({
      Dockerfile: `FROM ${BASE} AS bare\nRUN rm /usr/bin/apt-get\nFROM bare\nRUN true\n`,
    }, 'bare', {});
    expect(built.exitCode).not.toBe(0);
    expect(built.stderr).toContain('the base image has none of the package managers apt, dnf, microdnf and apk');
  });

  test('fails on a base with an undeclared user, and builds once the user is given', async () => {
    await store.importRootfs(await debianRootfs(), 'localhost/other-user', '--user', '4711');
    const files = { Dockerfile: 'FROM localhost/other-user\nRUN id -u > /tmp/built-by\n' };
    const built = await build(files, 'unprivileged', {});
    expect(built.exitCode).not.toBe(0);
    expect(built.stderr).toContain('tools are installed by root, but the base image runs as user 4711');

    expect(await build(files, 'privileged', { user: '4711' })).toMatchObject({ exitCode: 0 });
    // The Dockerfile's own step, for which no user is declared, and the session.
    expect(await printed('privileged', 'cat /tmp/built-by; id -u')).toBe('0\n4711');
  });
});
