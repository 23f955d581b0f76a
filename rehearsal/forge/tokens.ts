/** The level of a permission. */
export type Access = 'read' | 'write';

/** A token of the forge. */
export interface ForgeToken {
  readonly value: string;
  /** The names of the repositories that it is for, `owner/name`. */
  readonly repositories: readonly string[];
  /** The permissions of the token by their names in GitHub's API, such as `contents`. */
  readonly permissions: Readonly<Record<string, Access>>;
  /** The name of its user, such as `octocat` or `workbench[bot]`. */
  readonly login: string;
  /** Milliseconds since the epoch. @default - it does not expire */
  expiresAt?: number;
  /** The username that basic authentication must have. @default - any */
  readonly username?: string;
  /** The ID of the installation of the app for which it was made. @default - the token of a user */
  readonly installationId?: number;
}

/** The name of a repository, `owner/name` in two parts. */
interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

/** Determines whether a token has a permission for a repository. */
export function allows(token: ForgeToken, { owner, name }: RepositoryName, permission: string, access: Access): boolean {
  const given = token.permissions[permission];
  return isFor(token, { owner, name }) && (given === 'write' || given === access);
}

/** Determines whether a token is for a repository, with any permission. */
export function isFor(token: ForgeToken, { owner, name }: RepositoryName): boolean {
  return token.repositories.some((one) => one.toLowerCase() === `${owner}/${name}`.toLowerCase());
}

/** The maximum number of requests in a time. */
export interface RateLimit {
  readonly requests: number;
  readonly seconds: number;
}

/** Counts requests in windows that begin with the first request of a key. */
export class RateLimiter {
  limit?: RateLimit;
  private readonly windows = new Map<string, { readonly end: number; used: number }>();

  constructor(private readonly now: () => number) {}

  /** Counts a request. Returns the seconds to wait if it exceeds the limit. */
  spend(key: string): number | undefined {
    if (this.limit === undefined) return undefined;
    const known = this.windows.get(key);
    const window = known !== undefined && known.end > this.now() ? known : { end: this.now() + this.limit.seconds * 1_000, used: 0 };
    this.windows.set(key, window);
    window.used += 1;
    return window.used > this.limit.requests ? Math.max(1, Math.ceil((window.end - this.now()) / 1_000)) : undefined;
  }
}
