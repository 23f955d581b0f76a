import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, chooseSandbox, ContainerTool, SandboxUnavailableError } from '../../../rehearsal/sandbox';
import { userOf } from '../../../rehearsal/sandbox/container-user';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'choose-'));
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** An engine that prints the given text, and records the requests. */
function install(name: string, script: string): void {
  writeFileSync(join(directory, 'bin', name), `#!/bin/bash\nprintf '%s\\n' "$*" >>${directory}/${name}.calls\n${script}\n`, { mode: 0o755 });
}

const ANSWERS = 'case $1 in run) echo "5 0 0" ;; image) echo \'{"Entrypoint":null,"Cmd":["node","agent.js"],"WorkingDir":""}\' ;; info) echo "[]" ;; esac';

/** The only tools are those installed above. */
const environment = () => ({ PATH: join(directory, 'bin') });

describe('the selected sandbox', () => {
  test('uses namespaces where they work, even if there is a container engine', async () => {
    install('docker', ANSWERS);
    expect((await chooseSandbox({ image: 'agent:1', environment: environment() })).name).toBe('namespace');
  });

  test.each(['docker', 'podman', 'finch'])('uses containers by %s if that is requested and answers', async (name) => {
    install('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    install(name, ANSWERS);
    const image = jest.fn(async (tool: ContainerTool) => `made-by-${tool.name}`);
    const driver = await chooseSandbox({ driver: 'container', image, environment: environment() });
    expect(driver).toMatchObject({ name: 'container', image: { name: `made-by-${name}`, command: ['node', 'agent.js'], workingDirectory: '/' } });
  });

  test('fails with the fault of each tool, and what to install, if no engine answers', async () => {
    install('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    const chosen = chooseSandbox({ driver: 'container', image: 'agent:1', environment: environment() });
    await expect(chosen).rejects.toThrow(SandboxUnavailableError);
    await expect(chosen).rejects.toThrow([
      'no sandbox can be started here:',
      '  container: docker ps: Cannot connect to the Docker daemon',
      '  container: podman ps: not installed',
      '  container: finch ps: not installed',
      'Try one of these:',
      '  install Docker, Podman or Finch, and start it',
    ].join('\n'));
  });

  test('fails if there is an engine but no image', async () => {
    install('podman', ANSWERS);
    await expect(chooseSandbox({ driver: 'container', environment: environment() })).rejects.toThrow('podman is installed, but there is no image');
  });

  test('fails with what to allow if namespaces are requested and do not work', async () => {
    const path = process.env.PATH;
    process.env.PATH = join(directory, 'bin');
    try {
      await expect(chooseSandbox({ driver: 'namespace' })).rejects.toThrow(/namespace: no namespace sandbox could be started: .*\n.*\n.*util-linux/);
    } finally {
      process.env.PATH = path;
    }
  });

  test.each([
    ['an old bash', 'case $1 in run) echo "4 0 0" ;; esac', 'it has bash 4, and needs bash 5'],
    ['no bash', 'case $1 in run) echo "exec: bash: not found" >&2; exit 127 ;; esac', 'podman run: exec: bash: not found; it needs bash'],
  ])('fails on an image with %s', async (_, script, message) => {
    install('podman', script);
    await expect(chooseSandbox({ driver: 'container', image: 'agent:1', environment: environment() })).rejects.toThrow(message);
  });
});

describe('the user in a container', () => {
  const image = { name: 'agent:1', user: 1000, group: 1001 };
  test.each([
    ['is that of the image behind a virtual machine', image, undefined, undefined, []],
    ['is that of the image if its number is the caller\'s', image, { user: 1000, group: 7 }, undefined, []],
    ['is that of the image if podman can map it', image, { user: 501, group: 20 }, 'podman', ['--userns', 'keep-id:uid=1000,gid=1001']],
    ['is root if that is the image\'s, and the engine is rootless', { ...image, user: 0 }, { user: 501, group: 20 }, 'docker', []],
    ['is the caller otherwise', image, { user: 501, group: 20 }, undefined, ['--user', '501:20']],
    ['is root of a rootless docker, which is the caller', image, { user: 501, group: 20 }, 'docker', ['--user', '0:0']],
  ] as const)('%s', (_, of, host, rootless, flags) => {
    const { flags: actual, warnings } = userOf(of, host, rootless);
    expect(actual).toEqual(flags);
    const told = warnings.map((warning) => /^the image runs as user 1000, but the sandbox as user (\d+), /.exec(warning)?.[1]);
    expect(told).toEqual(flags.filter((flag) => flag.includes(':') && !flag.includes('=')).map((flag) => flag.split(':')[0]));
  });
});

describe('an image of an app', () => {
  const asset = { tag: 'abc', directory: '/context', dockerfile: '/context/Dockerfile', buildArgs: { A: '1', B: 'two words' }, target: 'agent' };

  test('is built from its asset, by the available tool', async () => {
    install('finch', 'case $1 in image) exit 1 ;; build) echo building ;; esac');
    const output: string[] = [];
    const name = await buildImage(new ContainerTool('finch', { environment: environment() }), asset, { flags: ['--network', 'host'], onOutput: (text) => void output.push(text) });
    expect(name).toBe('localhost/agent-rehearsal:abc');
    expect(calls('finch')).toEqual([
      'image inspect localhost/agent-rehearsal:abc',
      'build --tag localhost/agent-rehearsal:abc --file /context/Dockerfile --build-arg A=1 --build-arg B=two words --target agent --network host /context',
    ]);
    expect(output.join('')).toBe('building\n');
  });

  test('is not built again', async () => {
    install('finch', '');
    await buildImage(new ContainerTool('finch', { environment: environment() }), asset);
    expect(calls('finch')).toHaveLength(1);
  });

  test('fails with the end of the build\'s output', async () => {
    install('finch', 'case $1 in image) exit 1 ;; build) echo "no space left" >&2; exit 3 ;; esac');
    await expect(buildImage(new ContainerTool('finch', { environment: environment() }), asset))
      .rejects.toThrow('finch build of /context/Dockerfile ended with 3:\nno space left');
  });
});

function calls(name: string): string[] {
  return readFileSync(join(directory, `${name}.calls`), 'utf8').trim().split('\n');
}
