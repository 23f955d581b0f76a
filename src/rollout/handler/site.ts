import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { LIMITS } from './constants';
import { ControlPlane, RequestNote } from './control-plane';
import { Executions } from './executions';
import { RolloutRequest } from './rollout-request';
import { Clock } from '../../handler/clock';
import { ERRORS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';

/** The log of a rollout. It holds names, versions and states, never the output of a command and never the event. */
export interface RolloutLog {
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
}

/** The services and limits that a step of a rollout works with. */
export interface Site {
  readonly control: ControlPlane;
  /** A client that only this step uses, since `Turn` adds middleware to it. */
  readonly sessions: BedrockAgentCoreClient;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly log: RolloutLog;
  /** The end of the step's time, in milliseconds since the epoch. */
  readonly until: number;
  readonly backoffSeconds: number;
}

/** The endpoint that a rollout returns to CloudFormation. */
export interface Live {
  readonly name: string;
  readonly version: string;
}

/** The state of a request after a step. */
export interface Progress {
  /** The next event that the request needs, which the error names if it never comes. Absent when the request is complete. */
  readonly waitingFor?: string;
  /** The endpoint that has passed. Once there is one, the request cannot fail. */
  readonly live?: Live;
}

export const DONE: Progress = {};

/** CloudFormation has moved on to another request. The error is a `SessionError` that is not transient, so that no call is retried for it. */
export class SupersededError extends SessionError {
  constructor(newer: string) {
    super(ERRORS.VALIDATION, `request ${newer} came after this one, which CloudFormation no longer waits for: nothing is changed from here on`);
  }
}

/**
 * Makes sure that only the newest request of a rollout changes anything.
 *
 * CloudFormation cancels a request when something else in the stack fails, or when a user cancels the update, and sends the next one at once.
 * The provider framework does not know about that and keeps asking for the first. So each request records itself in the tags of the endpoint
 * `DEFAULT`, and stops when it finds a newer one there.
 */
export class Turn {
  /** The site of the request. It checks, right before each change, that no newer request has come. */
  public readonly site: Site;
  /** The reason why the request must not change anything more, once that is known. */
  public over?: SupersededError;

  constructor(private readonly request: RolloutRequest, unguarded: Site) {
    const check = async () => { await this.check(); };
    unguarded.sessions.middlewareStack.add((next) => async (args) => {
      await check();
      return next(args);
    }, { step: 'initialize', name: 'checkTurn' });
    this.site = { ...unguarded, control: unguarded.control.guardedBy(check) };
  }

  /**
   * Records the request, unless that is done. Returns whether an earlier request may be in the middle of a call, which has to arrive before
   * anything is read.
   *
   * The documentation does not say whether `DEFAULT` can be tagged. If it cannot, a rollout continues without this guard.
   */
  public async take(): Promise<boolean> {
    const { request: { id, began, runtimeArn, rollout }, site: { control, clock, log } } = this;
    const noted = await this.check();
    if (noted.some((note) => note.id === id)) return false;
    if (!await control.noteRequest(runtimeArn, rollout, { id, began })) log.warn('request not noted', { reason: 'the endpoint DEFAULT takes no tag' });
    if (noted.length > 0) await control.forgetRequests(runtimeArn, rollout, noted);
    return noted.some((note) => clock.now() < note.began + LIMITS.requestMayLiveSeconds * 1_000);
  }

  /** Fails if there is a newer request. Returns all requests that are recorded. */
  private async check(): Promise<readonly RequestNote[]> {
    const { id, began, runtimeArn, rollout } = this.request;
    const noted = await this.site.control.requests(runtimeArn, rollout);
    const newer = noted.find((note) => note.began > began || (note.began === began && note.id > id));
    if (newer === undefined) return noted;
    this.over = new SupersededError(newer.id);
    throw this.over;
  }
}
