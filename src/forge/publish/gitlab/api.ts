import { failureOf, wordsOf } from './failure';
import { Place } from './place';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { lastCause, LONGEST_PAUSE, REDIRECT_STATUSES, redirected, TRIES } from '../api-failure';
import { ForgeError } from '../smart-http';

/** A request to the API of GitLab. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The path below `/api/v4`, with what is in it encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: object;
}

/** An answer of the API. */
export interface Reply<T> {
  readonly data: T;
  readonly headers: Headers;
}

/** The parts of a project that are read. */
export interface Project {
  readonly id: number;
  readonly path_with_namespace: string;
  readonly archived?: boolean;
  /** The levels of the token's user as a member of the project and of its group; null if the user is no member there. */
  readonly permissions?: { readonly project_access?: Access | null; readonly group_access?: Access | null };
  readonly merge_requests_access_level?: string;
  readonly issues_access_level?: string;
  readonly merge_method?: string;
}

interface Access {
  readonly access_level: number;
}

/** The maximum time of a request, in milliseconds. GitLab itself ends requests after 60 seconds. */
const TIMEOUT = 70_000;

/**
 * The REST API of GitLab for one project. Requests wait for short rate limits, are repeated where that is safe, and fail with a `ForgeError`.
 *
 * It is `fetch` and no library: the requests are few, and which of them are repeated, and which redirects are followed, is decided here.
 */
export class GitLabApi {
  private known?: Promise<Project>;

  /** @param token returns the token of the publisher */
  constructor(private readonly place: Place, private readonly token: () => Promise<string>, private readonly clock: Clock) {}

  /** Returns the project. Its ID stays when it is renamed, so that all other requests use that: GitLab redirects only those that read. */
  async project(): Promise<Project> {
    this.known ??= this.send<Project>({ method: 'GET', path: `/projects/${encodeURIComponent(this.place.project)}` }).then(({ data }) => data);
    return this.known;
  }

  /** Sends a request about the project. @param path the path below that of the project, such as `/merge_requests` */
  async ofProject<T>(method: Call['method'], path: string, options: Pick<Call, 'query' | 'body'> = {}): Promise<Reply<T>> {
    const { id } = await this.project();
    return this.send<T>({ method, path: `/projects/${id}${path}`, ...options });
  }

  /** Sends a request. One that makes something is repeated only if it is known that it was refused. */
  async send<T>({ method, path, query = {}, body }: Call): Promise<Reply<T>> {
    const parameters = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, `${value}`]));
    let url = `${this.place.api}${path}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`;
    let redirects = 0;
    for (let tries = 1; ; tries++) {
      const token = await this.token();
      const { status, headers, text, lost } = await answered(url, method, token, body);
      if (REDIRECT_STATUSES.includes(status) && method === 'GET') {
        url = redirected('GitLab', url, headers.get('location') ?? '', ++redirects);
        tries--;
        continue;
      }
      const data = parsed(text);
      if (status >= 200 && status < 300 && data !== undefined) return { data: data as T, headers };
      // An answer that broke off is a lost connection.
      const failure = status >= 200 && status < 300
        ? { status: 0, words: 'the answer is not complete, or is not JSON' }
        : { status, words: lost ?? wordsOf(data, text), retryAfter: headers.get('retry-after') };
      const error = failureOf({ ...failure, words: failure.words.replaceAll(token, '***') }, this.clock.now());
      const pause = tries >= TRIES ? undefined : pauseAfter(error, method, tries);
      if (pause === undefined) throw error;
      await this.clock.sleep(pause);
    }
  }
}

/** Returns the seconds to wait before another try, or undefined if there is none. */
function pauseAfter({ name, retryAfter }: ForgeError, method: string, tries: number): number | undefined {
  if (name === FORGE_ERRORS.RATE_LIMITED) return retryAfter! <= LONGEST_PAUSE ? retryAfter : undefined; // it was refused, so it may be repeated
  return name === FORGE_ERRORS.UNAVAILABLE && method !== 'POST' ? 2 ** (tries - 1) : undefined;
}

interface Answered {
  /** 0 if there is no answer. */
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The reason of a connection that failed. */
  readonly lost?: string;
}

async function answered(url: string, method: string, token: string, body: object | undefined): Promise<Answered> {
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        'authorization': `Bearer ${token}`,
        'accept': 'application/json',
        'user-agent': 'cdk-agentcore-workbench',
        // A kept connection may be closed by the other side while the function is frozen between two invocations.
        'connection': 'close',
        ...body === undefined ? {} : { 'content-type': 'application/json' },
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    return { status: 0, headers: new Headers(), text: '', lost: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return lastCause((error as Error).cause) ?? (error as Error).message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
