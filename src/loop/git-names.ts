/** Pure rules for what is handed to git, for synth and for the run's input alike. */

/** Schemes that git speaks itself, and AWS's helper. Others, above all `ext::`, run programs of their own. */
const URL_PATTERN = /^(?:(?:https|http|ssh|git|file):\/\/[^\s\0]+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s\0]+|codecommit::[a-z0-9-]+:\/\/[^\s\0]+|codecommit:\/\/[^\s\0]+)$/;
/** A password; with http any user as well, since hosts take a token for a user. What ssh and codecommit name is a login or a profile. */
const CREDENTIALS_PATTERN = /^(?:https?:\/\/[^/]*@|[a-z]+:\/\/[^/@\s]*:[^/@\s]*@)/i;
/** A host that ssh would take for an option. */
const OPTION_PATTERN = /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?-/i;

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
  return typeof url === 'string' && url.length <= 2_000 && URL_PATTERN.test(url) && !hasCredentials(url) && !OPTION_PATTERN.test(url);
}

/** What is wrong with a URL that is none. The message may end up where a password or a token must not. */
export function repositoryUrlFault(url: string): string {
  return `"repository" has the URL "${url.replace(/\/\/.*@/, '//…@')}", https and http without a user, and ssh, git, file and codecommit without a password are allowed`;
}
