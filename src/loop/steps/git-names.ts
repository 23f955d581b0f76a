/** Pure rules for what is passed to git, both at synth and for a run's input. */

/** The schemes that git itself speaks, and those of AWS's helper. Others, above all `ext::`, run programs of their own. */
const URL_PATTERN = /^(?:(?:https|http|ssh|git|file):\/\/[^\s\0]+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s\0]+|codecommit::[a-z0-9-]+:\/\/[^\s\0]+|codecommit:\/\/[^\s\0]+)$/;
/** A password, or any user where git needs no login: hosts accept a token as one. The user of ssh and codecommit is a login or a profile. */
const CREDENTIALS_PATTERN = /^(?:(?:https?|git|file):\/\/[^/]*@|[a-z]+:\/\/[^/@\s]*:[^/@\s]*@)/i;
/** A host that ssh would read as an option. */
const OPTION_PATTERN = /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?-/i;
/** A query or a fragment, which may hold a token, and characters that some programs read as a slash. No remote of git needs them. */
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const OTHER_PATTERN = /[?#\\\x00-\x1f\x7f]/;

/** Determines whether git accepts a text as a branch, a tag or a commit, and not as an option. See `git help check-ref-format`. */
export function isRef(ref: unknown): boolean {
  return typeof ref === 'string' && ref.length > 0 && ref.length <= 200 && !ref.startsWith('-') && !ref.startsWith('/') && !ref.startsWith('.') && !/[/.]$/.test(ref)
    // eslint-disable-next-line no-control-regex -- git refuses control characters, so they are named here
    && !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)/.test(ref) && ref !== '@';
}

/** Determines whether a URL has credentials, which git is to get elsewhere. Also finds them in a URL with unresolved tokens of the CDK. */
export function hasCredentials(url: string): boolean {
  return CREDENTIALS_PATTERN.test(url);
}

/** Determines whether git may use a URL: no option, no helper that runs programs, no credentials. */
export function isRepositoryUrl(url: unknown): boolean {
  return typeof url === 'string' && url.length <= 2_000 && URL_PATTERN.test(url) && !hasCredentials(url) && !OPTION_PATTERN.test(url) && !OTHER_PATTERN.test(url);
}

/** Returns what is wrong with an invalid URL. The message may be shown where a password or a token must not be. */
export function repositoryUrlFault(url: string): string {
  const shown = url.replace(/\/\/.*@/, '//…@').replace(/[?#].*$/s, (rest) => `${rest[0]}…`);
  return `"repository" must be an https, http, ssh, git, file or codecommit URL, without a password, "?", "#" or "\\", and without a user unless the scheme is ssh or codecommit, not "${shown}"`;
}

const HOST = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[0-9]{1,5})?';
/** The authority of each scheme. It decides who receives the session's credentials, so there is only one way to write it. */
const AUTHORITIES: { readonly [scheme: string]: RegExp } = {
  https: new RegExp(`^${HOST}$`),
  http: new RegExp(`^${HOST}$`),
  git: new RegExp(`^${HOST}$`),
  ssh: new RegExp(`^(?:[A-Za-z_][A-Za-z0-9_-]{0,31}@)?${HOST}$`),
  file: /^$/,
};
/** A segment of a path, between two slashes: without escapes, and not one that leads upwards. */
const SEGMENT = /^(?!\.+$)[A-Za-z0-9_.~+-]+$/;
const SEGMENT_PATTERN = /^(?!\.+$)[A-Za-z0-9_.~+*-]+$/;

interface Parts {
  /** The scheme and the authority, as they are written. */
  readonly origin: string;
  readonly segments: readonly string[];
}

function partsOf(url: string, segment: RegExp): Parts | undefined {
  const [, scheme, authority, path] = /^([a-z]+):\/\/([^/]*)\/(.+)$/.exec(url) ?? [];
  if (scheme === undefined || !Object.hasOwn(AUTHORITIES, scheme) || !AUTHORITIES[scheme].test(authority)) return undefined;
  const segments = path.split('/');
  return url.length <= 2_000 && segments.every((part) => segment.test(part)) ? { origin: `${scheme}://${authority}`, segments } : undefined;
}

/** Returns what is wrong with a pattern of repositories, if anything. */
export function patternFault(pattern: string): string | undefined {
  return partsOf(pattern, SEGMENT_PATTERN) === undefined
    ? '"allow" must have https, http, ssh, git or file URLs with a plain host in lower case and "*" in the path only, '
      + `not "${pattern.replace(/\/\/.*@/, '//…@')}": write them like "https://git.example.com/team/*"`
    : undefined;
}

/**
 * Determines whether a run's input may name a repository.
 *
 * The scheme, user and host must equal those of a pattern. `*` stands for one or more characters of one segment of the path, so `/team/*`
 * matches neither `/team` nor `/team/a/b`.
 *
 * @param patterns the loop's patterns; undefined allows every https URL
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
