import { LIMITS } from './constants';
import { ControlPlane, RequestNote } from './control-plane';
import { RolloutRequest } from './rollout-request';
import { Site } from './site';
import { ERRORS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';

/** CloudFormation has gone on to another request. A `SessionError`, and no passing one, so that no call is made again for it. */
export class SupersededError extends SessionError {
  constructor(newer: string) {
    super(ERRORS.VALIDATION, `request ${newer} came after this one, which CloudFormation waits for no more: nothing is changed from here on`);
  }
}

/**
 * Whose turn it is.
 *
 * CloudFormation cancels a request when something else in the stack fails, or when somebody tells it to, and sends the next at once. The
 * provider framework knows nothing of that and goes on to ask for the first. So each request notes itself where all can see it, and one that
 * finds a newer one stops.
 */
export class Turn {
  /** Why the request may do nothing more, once that is known. */
  public over?: SupersededError;

  constructor(private readonly request: RolloutRequest, private readonly control: ControlPlane) {}

  /**
   * Notes the request, if that is not done yet. Returns whether an earlier one may be in the midst of a call, which has to arrive before anything
   * is looked at.
   *
   * Where the service takes no tags on `DEFAULT`, of which its documentation says nothing, a rollout goes on without this guard.
   */
  public async take({ clock, log }: Pick<Site, 'clock' | 'log'>): Promise<boolean> {
    const { id, began, runtimeArn, rollout } = this.request;
    const noted = await this.check();
    if (noted.some((note) => note.id === id)) return false;
    if (!await this.control.noteRequest(runtimeArn, rollout, { id, began })) log.warn('request not noted', { reason: 'the endpoint DEFAULT takes no tag' });
    if (noted.length > 0) await this.control.forgetRequests(runtimeArn, rollout, noted);
    return noted.some((note) => clock.now() < note.began + LIMITS.requestMayLiveSeconds * 1_000);
  }

  /** Fails if there is a newer request. Returns all that are noted. */
  public async check(): Promise<readonly RequestNote[]> {
    const { id, began, runtimeArn, rollout } = this.request;
    const noted = await this.control.requests(runtimeArn, rollout);
    const newer = noted.find((note) => note.began > began || (note.began === began && note.id > id));
    if (newer === undefined) return noted;
    this.over = new SupersededError(newer.id);
    throw this.over;
  }

  /** A site where nothing is changed that is not the request's turn: it is looked up right before. */
  public guard(site: Site): Site {
    const check = async () => { await this.check(); };
    const send = (site.sessions.send as (...of: unknown[]) => Promise<unknown>).bind(site.sessions);
    return {
      ...site,
      control: site.control.guardedBy(check),
      sessions: Object.assign(Object.create(site.sessions) as typeof site.sessions, {
        send: async (...of: unknown[]) => {
          await check();
          return send(...of);
        },
      }),
    };
  }
}
