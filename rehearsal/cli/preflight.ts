import { spawnSync } from 'node:child_process';
import type { Target } from './options';
import type { StoredSession } from './run-store';
import { loopImage } from '../run/loop-image';
import { BuildOptions, chooseSandbox, ContainerDriver, ContainerTool, ContainerToolName, NamespaceDriver, SandboxDriver } from '../sandbox';

/** This machine lacks what a rehearsal needs; the message says what to install or allow. */
export class PreflightError extends Error {
  readonly name = 'PreflightError';
}

export function hasGit(): boolean {
  return spawnSync('git', ['--version'], { stdio: 'ignore' }).error === undefined;
}

/**
 * Checks that this machine has what a run needs, before the run starts.
 * @returns the sandbox that was asked for, or one that works on this machine
 */
export async function preflight({ stack, loop, sandbox, image, user }: Target, assembly: string, build: BuildOptions): Promise<SandboxDriver> {
  if (!hasGit()) throw new PreflightError('git cannot be found: install it');
  return chooseSandbox({ driver: sandbox, user, image: image ?? loopImage({ assembly, stack, loop }, build) });
}

/** The sandbox of a session that has ended, for a person to look around. */
export async function sandboxLike({ sandbox }: StoredSession): Promise<SandboxDriver> {
  return sandbox?.tool === undefined || sandbox.image === undefined ? new NamespaceDriver({ user: sandbox?.user })
    : ContainerDriver.create({ tool: new ContainerTool(sandbox.tool as ContainerToolName), image: sandbox.image });
}
