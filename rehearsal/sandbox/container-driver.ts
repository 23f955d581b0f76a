import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { ContainerSandbox } from './container-sandbox';
import { INIT_SCRIPT } from './container-script';
import type { ContainerTool } from './container-tool';
import { ContainerUser, containerUser } from './container-user';
import { inspectImage } from './image';
import { Sandbox, SandboxDriver, SandboxImage, SandboxMount, SandboxOptions, SandboxUnavailableError } from './sandbox';

/** The port that an agent listens on in a container, by the container contract. */
const CONTRACT_PORT = 8080;

export interface ContainerDriverOptions {
  readonly tool: ContainerTool;
  /** Name of an image that the tool has, or can pull. It needs bash 5. */
  readonly image: string;
  /**
   * The network of the containers. `host` is for machines where the tool cannot create a network; agents must then listen on the port in `PORT`.
   * @default 'bridge', with port 8080 published on loopback
   */
  readonly network?: 'bridge' | 'host';
}

/** Sandboxes out of containers: the programs, files and user of an image. Each has a disk of its own that ends with it. */
export class ContainerDriver implements SandboxDriver {
  /** Looks into the image first, which is pulled if it is not there. */
  static async create(options: ContainerDriverOptions): Promise<ContainerDriver> {
    const image = await inspectImage(options.tool, options.image);
    return new ContainerDriver(options, image, await containerUser(options.tool, image));
  }

  readonly name = 'container';

  private constructor(private readonly options: ContainerDriverOptions, readonly image: SandboxImage, private readonly user: ContainerUser) {}

  get tool(): string {
    return this.options.tool.name;
  }

  get ownNetwork(): boolean {
    return this.options.network !== 'host';
  }

  async start(options: SandboxOptions): Promise<Sandbox> {
    const { tool, network = 'bridge' } = this.options;
    const container = `rehearsal-${randomUUID()}`;
    const init = tool.start([
      'run', '--rm', '--interactive', '--name', container,
      ...network === 'host' ? ['--network', 'host'] : ['--publish', `127.0.0.1::${CONTRACT_PORT}`],
      ...tool.name === 'podman' ? ['--security-opt', 'label=disable'] : [], // SELinux would keep it from the mounts
      ...this.user.flags,
      ...options.mounts.flatMap(mount => ['--mount', bind(mount)]),
      '--entrypoint', 'bash', this.image.name, '--norc', '-c', INIT_SCRIPT,
    ], options.environment);
    await ready(init, `${tool.name} run`);
    const publishedPort = network === 'host' ? undefined : CONTRACT_PORT;
    return new ContainerSandbox({ tool, container, init, publishedPort, warnings: this.user.warnings });
  }
}

/** The tools read it as a line of comma-separated values, with quotes around what has commas or quotes. */
function bind({ source, target }: SandboxMount): string {
  return ['type=bind', `source=${source}`, `target=${target}`].map(field => /[",]/.test(field) ? `"${field.replace(/"/g, '""')}"` : field).join(',');
}

function ready(init: ChildProcess, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let stderr = '';
    const fail = (why: string) => reject(new SandboxUnavailableError(`no container could be started: ${what} ended with ${why}${stderr && `: ${stderr.trim()}`}`));
    init.stdin!.on('error', () => undefined);
    init.stderr!.setEncoding('utf8').on('data', (text: string) => stderr += text);
    init.stdout!.once('data', () => resolve());
    init.once('error', error => fail(error.message));
    init.once('close', (code, signal) => fail(`${code ?? signal}`));
  });
}
