import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerDriver, ContainerDriverOptions } from './container-driver';
import { ContainerTool, ContainerToolOptions, findContainerTool } from './container-tool';
import { NamespaceDriver } from './namespace-driver';
import { SandboxDriver, SandboxUnavailableError } from './sandbox';

export interface ChooseSandboxOptions extends ContainerToolOptions, Pick<ContainerDriverOptions, 'network'> {
  /** @default - `namespace` where that works, else `container` */
  readonly driver?: 'namespace' | 'container';
  /** Number of the user that sessions run as, which only namespaces know. @default - the one who rehearses */
  readonly user?: number;
  /** The image of the containers: a name, or a function that builds one with the tool that was found. @default - no containers */
  readonly image?: string | ((tool: ContainerTool) => Promise<string>);
}

/**
 * Returns a sandbox that works on this machine. Namespaces are preferred: they need no installation and start ten times as fast.
 *
 * @throws SandboxUnavailableError with what to install or allow, if there is none
 */
export async function chooseSandbox(options: ChooseSandboxOptions = {}): Promise<SandboxDriver> {
  const complaints: string[] = [];
  let hasTool = false;
  if (options.driver !== 'container') {
    const { user } = options;
    const complaint = await namespaceComplaint(user);
    if (complaint === undefined) {
      return new NamespaceDriver({ user });
    }
    complaints.push(`  namespace: ${complaint}`);
  }
  if (options.driver !== 'namespace') {
    const tool = await findContainerTool(options);
    hasTool = tool instanceof ContainerTool;
    if (tool instanceof ContainerTool && options.image !== undefined) {
      const image = typeof options.image === 'string' ? options.image : await options.image(tool);
      return ContainerDriver.create({ tool, image, network: options.network });
    }
    complaints.push(...tool instanceof ContainerTool
      ? [`  container: ${tool.name} is installed, but there is no image`]
      : tool.map(complaint => `  container: ${complaint}`));
  }
  throw new SandboxUnavailableError(['no sandbox can be started here:', ...complaints, 'Try one of these:', ...remedies(options, hasTool)].join('\n'));
}

/** Returns why namespaces do not work here, or `undefined` if they do. The only way to find out is to make some. */
async function namespaceComplaint(user: number | undefined): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'rehearsal-probe-'));
  try {
    const sandbox = await new NamespaceDriver({ user }).start({ disk: join(directory, 'disk'), mounts: [], environment: { PATH: process.env.PATH ?? '' } });
    const { exitCode } = await sandbox.exec({ command: ['true'] });
    await sandbox.kill();
    return exitCode === 0 ? undefined : `a program in it ended with ${exitCode}`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param hasTool whether containers lack no more than an image */
function remedies({ driver }: ChooseSandboxOptions, hasTool: boolean): string[] {
  const container = hasTool
    ? '  name an image that has bash, git and the programs of the gates, with "image" (--image); or rehearse an app whose runtime has one'
    : '  install Docker, Podman or Finch, and start it ("podman machine start", "finch vm start"); rehearse as a user who may use it';
  const namespace = [
    '  apt-get install bash coreutils util-linux                            the programs that it needs',
    '  sudo sysctl --write kernel.unprivileged_userns_clone=1               user namespaces, on Debian',
    '  sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0   on Ubuntu 24.04 and later',
    '  docker run --privileged …                                            in a container',
    '  rehearse as root',
  ];
  return [...driver === 'namespace' ? [] : [container], ...driver === 'container' || process.platform !== 'linux' ? [] : namespace];
}
