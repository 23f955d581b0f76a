import { ContainerTool } from './container-tool';
import type { SandboxImage } from './sandbox';

/** Whom commands run as, in words of `run`. */
export interface ContainerUser {
  readonly flags: readonly string[];
  readonly warnings: readonly string[];
}

interface Numbers {
  readonly user: number;
  readonly group: number;
}

/**
 * Returns the image's own user if it can use the workspace. On Linux the workspace belongs to the user who rehearses, by number, and an engine passes
 * numbers through; a rootless engine maps that user to the container's root, or to the user that it is told.
 *
 * @param host the user who rehearses; none if the engine is in a virtual machine, whose file sharing maps users
 */
export function userOf(image: Numbers & Pick<SandboxImage, 'name'>, host: Numbers | undefined, rootless: 'podman' | 'docker' | undefined): ContainerUser {
  const is = `runs as user ${image.user}`;
  if (host === undefined || (rootless === undefined && host.user === image.user) || (rootless !== undefined && image.user === 0)) {
    return { flags: [], warnings: [] };
  }
  if (rootless === 'podman') {
    return { flags: ['--userns', `keep-id:uid=${image.user},gid=${image.group}`], warnings: [] };
  }
  const user = rootless === 'docker' ? { user: 0, group: 0 } : host;
  return {
    flags: ['--user', `${user.user}:${user.group}`],
    warnings: [`the image ${is}, but the sandbox as user ${user.user}, who owns the workspace: permissions that only the image's own user has, or lacks, are not tested`],
  };
}

export async function containerUser(tool: ContainerTool, image: SandboxImage): Promise<ContainerUser> {
  const host = process.platform === 'linux' ? { user: process.getuid!(), group: process.getgid!() } : undefined;
  return userOf(image, host, host && host.user !== 0 ? await rootlessTool(tool) : undefined);
}

async function rootlessTool(tool: ContainerTool): Promise<'podman' | 'docker' | undefined> {
  if (tool.name === 'podman') {
    return 'podman';
  }
  const options = await tool.run(['info', '--format', '{{json .SecurityOptions}}']).catch(() => '');
  return options.includes('name=rootless') ? 'docker' : undefined;
}
