import { KEY_SCRIPT, UNSEAL_PART } from './access-scripts.generated';
import { NEXT, STEPS } from './constants';
import type { ForgeUse } from './loop-config';
import type { LoopRequest } from './loop-request';
import type { RunRecord } from './records';
import type { WorkspaceFunction } from './results';
import { nonceOf } from './results';
import type { LoopState } from './state';
import type { Access, StepJob, StepRequest } from './step';
import type { StopResult } from './stop';
import type { JobResult } from '../../jobs/job';

/** The request for a token with which a session may read a repository. */
export interface OpenRequest {
  readonly operation: 'forge:open';
  /** The ID of the run, for the log. */
  readonly run: string;
  readonly url: string;
  /** The public key of the session, in PEM; undefined if it needs no token. */
  readonly publicKey?: string;
  /** The uses of the forge beside the push, to find out whether the run will be able to publish. */
  readonly check?: readonly ForgeUse[];
  /** The branch that the pull request is for, if it is not the one that the run starts from. It is checked too. */
  readonly base?: string;
}

/** The reply to it. */
export interface Opened {
  /** The lines of a credential helper's reply, encrypted with the public key: blocks in base64. */
  readonly sealed?: readonly string[];
}

/** The progress of a run, for people who follow an issue. */
export type Progress =
  | { readonly kind: 'CHECKING_BASE' }
  /** A turn begins; the gate that did not pass before, if it is a repair. */
  | { readonly kind: 'TURN'; readonly turn: number; readonly gate?: string; readonly verdict?: string }
  | { readonly kind: 'VERIFYING' }
  | ({ readonly kind: 'ENDED' } & Pick<RunRecord, 'outcome' | 'rounds' | 'verified' | 'agent' | 'commit' | 'pullRequest' | 'error'>);

/** The request to say how a run goes. */
export interface TellRequest {
  readonly operation: 'forge:tell';
  /** The ID of the run, for the log. */
  readonly run: string;
  readonly url: string;
  readonly issue: number;
  readonly taskId: string;
  readonly execution: string;
  readonly progress: Progress;
}

/** Returns what there is to say about a step before it begins or, with its result, after it has ended. */
export function newsOf(request: LoopRequest, result?: object): TellRequest | undefined {
  const { run, loop } = ('state' in request ? request.state ?? {} : {}) as Partial<StepRequest['state']>;
  const progress = run?.issue === undefined ? undefined : progressOf(request.operation, loop, result);
  if (progress === undefined || !('execution' in request)) return undefined;
  return { operation: 'forge:tell', run: run!.id, url: run!.repository.url, issue: run!.issue!, taskId: run!.taskId, execution: request.execution, progress };
}

function progressOf(operation: string, loop: LoopState | undefined, result?: object): Progress | undefined {
  if (result !== undefined) {
    if (operation !== STEPS.STOP) return undefined;
    const { outcome, rounds, verified, agent, commit, pullRequest, error } = (result as StopResult).output;
    return { kind: 'ENDED', outcome, rounds, verified, agent, commit, pullRequest, error };
  }
  // A step that continues has been told of.
  if (loop === undefined || loop.next === NEXT.RUNNING) return undefined;
  switch (operation) {
    case STEPS.CHECK_BASE: return { kind: 'CHECKING_BASE' };
    case STEPS.TURN: return { kind: 'TURN', turn: loop.round + 1, gate: loop.feedback?.gate, verdict: loop.feedback?.verdict };
    case STEPS.VERIFY: return { kind: 'VERIFYING' };
    default: return undefined;
  }
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
  const { config, state: { run: { id, key, issue, repository: { url } }, loop } } = request;
  const uses = [...config.forge?.uses ?? [], ...issue === undefined ? [] : ['comment' as const]];
  const check = name === 'prepare' && config.push ? uses : undefined;
  const reads = config.forge?.reads === true && CONTACTS.includes(name);
  if (!reads) {
    if (check !== undefined) await open({ operation: 'forge:open', run: id, url, check, base: config.forge?.base });
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
  const { sealed } = await open({ operation: 'forge:open', run: id, url, publicKey, check, base: config.forge.base });
  if (sealed === undefined) return {};
  return { environment: { WB_KEY: directory, WB_SEALED: sealed.join(' '), WB_ORIGIN: new URL(url).origin }, script: UNSEAL_PART };
}
