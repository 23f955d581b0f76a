/** Pure rules for what is handed to git, for synth and for the run's input alike. */

/** Schemes that git speaks itself, and AWS's helper. Others, above all `ext::`, run programs of their own. */
const URL_PATTERN = /^(?:(?:https|http|ssh|git|file):\/\/[^\s\0]+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s\0]+|codecommit::[a-z0-9-]+:\/\/[^\s\0]+|codecommit:\/\/[^\s\0]+)$/;
/** A password; where no login is needed any user as well: hosts take a token for one. What ssh and codecommit name is a login or a profile. */
const CREDENTIALS_PATTERN = /^(?:(?:https?|git|file):\/\/[^/]*@|[a-z]+:\/\/[^/@\s]*:[^/@\s]*@)/i;
/** A host that ssh would take for an option. */
const OPTION_PATTERN = /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?-/i;
/** A query or a fragment, which may hold a token, and what some take for a slash. No remote of git needs them. */
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const OTHER_PATTERN = /[?#\\\x00-\x1f\x7f]/;

/** What git takes for a branch, a tag or a commit, and no option. After `git help check-ref-format`. */
export function isRef(ref: unknown): boolean {
  return typeof ref === 'string' && ref.length > 0 && ref.length <= 200 && !ref.startsWith('-') && !ref.startsWith('/') && !ref.startsWith('.') && !/[/.]$/.test(ref)
    // eslint-disable-next-line no-control-regex -- git refuses control characters, so they are named here
    && !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)/.test(ref) && ref !== '@';
}

/** Whether a URL carries what git is to get elsewhere. Also sees it around values that are only known later. */
export function hasCredentials(url: string): boolean {
  return CREDENTIALS_PATTERN.test(url);
}

/** Where git may be sent: no option, no helper that runs programs, no credentials. */
export function isRepositoryUrl(url: unknown): boolean {
  return typeof url === 'string' && url.length <= 2_000 && URL_PATTERN.test(url) && !hasCredentials(url) && !OPTION_PATTERN.test(url) && !OTHER_PATTERN.test(url);
}

/** What is wrong with a URL that is none. The message may end up where a password or a token must not. */
export function repositoryUrlFault(url: string): string {
  const shown = url.replace(/\/\/.*@/, '//…@').replace(/[?#].*$/s, (rest) => `${rest[0]}…`);
  return `"repository" has the URL "${shown}", an https, http, ssh, git, file or codecommit URL is allowed, without a password, "?", "#" or "\\", and without a user unless it is ssh or codecommit`;
}

const HOST = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[0-9]{1,5})?';
/** The authority of each scheme: the one part that says who gets the session's credentials, so it has one way to be written. */
const AUTHORITIES: { readonly [scheme: string]: RegExp } = {
  https: new RegExp(`^${HOST}$`),
  http: new RegExp(`^${HOST}$`),
  git: new RegExp(`^${HOST}$`),
  ssh: new RegExp(`^(?:[A-Za-z_][A-Za-z0-9_-]{0,31}@)?${HOST}$`),
  file: /^$/,
};
/** What stands between two slashes: nothing that is decoded, and nothing that leads upwards. */
const SEGMENT = /^(?!\.+$)[A-Za-z0-9_.~+-]+$/;
const SEGMENT_PATTERN = /^(?!\.+$)[A-Za-z0-9_.~+*-]+$/;

interface Parts {
  /** Scheme and authority, as they are written. */
  readonly origin: string;
  readonly segments: readonly string[];
}

function partsOf(url: string, segment: RegExp): Parts | undefined {
  const [, scheme, authority, path] = /^([a-z]+):\/\/([^/]*)\/(.+)$/.exec(url) ?? [];
  if (scheme === undefined || !Object.hasOwn(AUTHORITIES, scheme) || !AUTHORITIES[scheme].test(authority)) return undefined;
  const segments = path.split('/');
  return url.length <= 2_000 && segments.every((part) => segment.test(part)) ? { origin: `${scheme}://${authority}`, segments } : undefined;
}

/** What is wrong with a pattern of repositories, if anything. */
export function patternFault(pattern: string): string | undefined {
  return partsOf(pattern, SEGMENT_PATTERN) === undefined
    ? `"allow" has "${pattern.replace(/\/\/.*@/, '//…@')}": a URL of https, http, ssh, git or file is needed, with the host in lower case and as it is, and "*" in its path only, `
      + 'such as "https://git.example.com/team/*"'
    : undefined;
}

/**
 * Whether a run's input may name a repository.
 *
 * Scheme, user and host have to be those of a pattern, to the letter. `*` is one or more characters of one part of the path, so that
 * `/team/*` is neither `/team` nor `/team/a/b`.
 *
 * @param patterns nothing if the loop says nothing: then it is any repository that is reached by https
 */
export function isAllowedRepository(url: unknown, patterns: readonly string[] | undefined): boolean {
  const parts = typeof url === 'string' ? partsOf(url, SEGMENT) : undefined;
  if (parts === undefined) return false;
  if (patterns === undefined) return parts.origin.startsWith('https://');
  return patterns.some((text) => {
    const pattern = partsOf(text, SEGMENT_PATTERN);
    return pattern !== undefined && pattern.origin === parts.origin && pattern.segments.length === parts.segments.length
      && pattern.segments.every((segment, index) => fits(segment, parts.segments[index]));
  });
}

function fits(pattern: string, segment: string): boolean {
  return new RegExp(`^${pattern.replace(/[.+]/g, '\\$&').replace(/\*+/g, '.+')}$`).test(segment);
}
