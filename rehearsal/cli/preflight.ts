import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { NamespaceDriver } from '../sandbox';

/** This machine lacks what a rehearsal needs; the message says what to install or allow. */
export class PreflightError extends Error {
  readonly name = 'PreflightError';
}

const NEEDED = { bash: 'bash', git: 'git', unshare: 'util-linux', nsenter: 'util-linux' };

/** Looks for what a run needs, before it begins, where an answer can be clear. */
export async function preflight(state: string): Promise<void> {
  if (process.platform !== 'linux') {
    throw new PreflightError(`a rehearsal needs Linux, not ${process.platform}: run it in a container or a virtual machine, as CI does`);
  }
  const missing = Object.keys(NEEDED).filter((program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined) as (keyof typeof NEEDED)[];
  if (missing.length > 0) {
    throw new PreflightError(`${missing.join(', ')} cannot be found: install ${[...new Set(missing.map((program) => NEEDED[program]))].join(' ')}`);
  }
  let complaint = 'none';
  try {
    const sandbox = await new NamespaceDriver().start({ disk: join(state, 'microvms', randomUUID()), mounts: [], environment: { PATH: process.env.PATH ?? '' } });
    const { exitCode } = await sandbox.exec({ command: ['true'] });
    await sandbox.kill();
    if (exitCode === 0) return;
    complaint = `a program in a sandbox ended with ${exitCode}`;
  } catch (error) {
    complaint = (error as Error).message;
  }
  throw new PreflightError([
    `no sandbox can be made here: ${complaint}`,
    'As an ordinary user it takes user namespaces. One of these helps:',
    '  sudo sysctl --write kernel.unprivileged_userns_clone=1               Debian',
    '  sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0   Ubuntu 24.04 and later',
    '  docker run --privileged …                                            in a container',
    '  or run it as root',
  ].join('\n'));
}
