import type { ContainerTool } from './container-tool';
import { SandboxImage, SandboxUnavailableError } from './sandbox';

/** An image of an app, as the asset manifest of its cloud assembly has it. */
export interface ImageAsset {
  /** The asset's hash. */
  readonly tag: string;
  /** The build context. */
  readonly directory: string;
  readonly dockerfile: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Stage of the Dockerfile. @default - the last */
  readonly target?: string;
}

export interface BuildOptions {
  /** Added to the tool's `build`, such as a network or a certificate that only this machine needs. */
  readonly flags?: readonly string[];
  /** Hears of what the build prints. */
  readonly onOutput?: (text: string) => void;
  /** Ends the build early. */
  readonly signal?: AbortSignal;
}

/** The name of an app's image on this machine. */
export function builtName({ tag }: Pick<ImageAsset, 'tag'>): string {
  return `localhost/agent-rehearsal:${tag}`;
}

/**
 * Builds an image of an app for this machine's architecture, unless an earlier rehearsal has built it: the same asset is the same image.
 *
 * @returns the image's name
 */
export async function buildImage(tool: ContainerTool, asset: ImageAsset, options: BuildOptions = {}): Promise<string> {
  const name = builtName(asset);
  if (await tool.run(['image', 'inspect', name]).then(() => true, () => false)) {
    return name;
  }
  const { flags = [], onOutput, signal } = options;
  const build = tool.start([
    'build', '--tag', name, '--file', asset.dockerfile,
    ...Object.entries(asset.buildArgs ?? {}).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...asset.target === undefined ? [] : ['--target', asset.target],
    ...flags, asset.directory,
  ], {});
  build.stdin.on('error', () => undefined).end();
  let output = '';
  for (const stream of [build.stdout, build.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
      onOutput?.(text);
    });
  }
  const end = () => void process.kill(-build.pid!, 'SIGTERM'); // with what it has started
  signal?.addEventListener('abort', end);
  const code = await new Promise<number | string | null>(resolve => build.once('error', error => resolve(error.message)).once('close', resolve));
  signal?.removeEventListener('abort', end);
  if (code !== 0) {
    throw new SandboxUnavailableError(`${tool.name} build of ${asset.dockerfile} ended with ${code}:\n${output}`);
  }
  return name;
}

interface ImageConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
}

/** Describes an image from its configuration, and from a command that runs in it. */
export async function inspectImage(tool: ContainerTool, name: string): Promise<SandboxImage> {
  // First, since it pulls an image that is not there. The number of a named user stands only in the image's own files.
  const ids = await tool.run(['run', '--rm', '--network', 'none', '--entrypoint', 'bash', name, '--norc', '-c', 'echo "${BASH_VERSINFO[0]} $UID ${GROUPS[0]}"'])
    .catch(error => {
      throw new SandboxUnavailableError(`the image ${name} cannot be used: ${(error as Error).message}; it needs bash`);
    });
  const [bash, user, group] = ids.trim().split(' ').map(Number);
  if (bash < 5) {
    throw new SandboxUnavailableError(`the image ${name} cannot be used: it has bash ${bash}, and needs bash 5`);
  }
  const config = JSON.parse(await tool.run(['image', 'inspect', '--format', '{{json .Config}}', name])) as ImageConfig;
  return { name, user, group, command: [...config.Entrypoint ?? [], ...config.Cmd ?? []], workingDirectory: config.WorkingDir || '/' };
}
