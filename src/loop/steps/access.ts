import { KEY_SCRIPT, UNSEAL_PART } from './access-scripts.generated';
import type { WorkspaceFunction } from './results';
import { nonceOf } from './results';
import type { Access, StepJob, StepRequest } from './step';
import type { JobResult } from '../../jobs/job';

/** The request for a token with which a session may read a repository. */
export interface OpenRequest {
  readonly operation: 'forge:open';
  readonly url: string;
  /** The public key of the session, in PEM; undefined if it needs no token. */
  readonly publicKey?: string;
  /** True to find out whether the run will be able to publish. */
  readonly check: boolean;
}

/** The reply to it. */
export interface Opened {
  /** The lines of a credential helper's reply, encrypted with the public key: blocks in base64. */
  readonly sealed?: readonly string[];
}

/** The functions of the workspace script that contact the remote. */
const CONTACTS: readonly WorkspaceFunction[] = ['prepare', 'move', 'surroundings', 'adopt', 'pins', 'commit', 'rebase', 'fresh', 'remake', 'receive'];

/** The functions that are the first in their session. */
const FIRST: readonly WorkspaceFunction[] = ['prepare', 'fresh'];

const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]{200,2000}\n-----END PUBLIC KEY-----/;

/**
 * Gets a token for one command of the workspace script, encrypted for the session that it runs in.
 *
 * @param open asks the publisher
 * @param run runs a job in the session of the request
 */
export async function accessFor(
  request: StepRequest, name: WorkspaceFunction, job: string,
  open: (request: OpenRequest) => Promise<Opened>, run: (job: StepJob) => Promise<JobResult>,
): Promise<Access> {
  const { config, state: { run: { key, repository: { url } }, loop } } = request;
  const check = name === 'prepare' && config.push;
  const reads = config.forge?.reads === true && CONTACTS.includes(name);
  if (!reads) {
    if (check) await open({ operation: 'forge:open', url, check });
    return {};
  }
  const directory = `/tmp/.workbench-key-${nonceOf(key, ['key', loop.round, loop.losses, loop.rebases, job]).slice(0, 16)}`;
  const made = await run({
    name: `key ${job}`,
    command: KEY_SCRIPT,
    workingDirectory: '/',
    timeoutSeconds: 60,
    environment: { WB_KEY: directory },
    unclaimed: true,
    isOurs: true,
    answered: !FIRST.includes(name),
  });
  const [publicKey] = PUBLIC_KEY.exec(made.tail) ?? [];
  // A key of a microVM that was replaced is missed by the next command, which gets another.
  if (publicKey === undefined && made.verdict === 'LOST') return { environment: { WB_KEY: directory, WB_SEALED: 'lost' }, script: UNSEAL_PART };
  if (publicKey === undefined) return { inert: `the session cannot make a key for the token: ${made.tail.trim().slice(-500)}` };
  const { sealed } = await open({ operation: 'forge:open', url, publicKey, check });
  if (sealed === undefined) return {};
  return { environment: { WB_KEY: directory, WB_SEALED: sealed.join(' '), WB_ORIGIN: new URL(url).origin }, script: UNSEAL_PART };
}
