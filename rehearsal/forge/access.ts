import type { ForgeRepository, ForgeStore } from './store';
import { allows, isFor } from './tokens';

/** A username and a password, as basic authentication sends them. */
export interface BasicCredential {
  readonly username: string;
  readonly password: string;
}

/** A request is refused, in the words of GitHub. */
export class Refusal extends Error {
  constructor(readonly status: number, message: string, readonly headers: Readonly<Record<string, string>> = {}) {
    super(message);
  }
}

const CHALLENGE = { 'www-authenticate': 'Basic realm="GitHub"' };

/** Returns the credential of a header `authorization`. */
export function basicCredential(header: string | undefined): BasicCredential | undefined {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+=*)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  return { username: text.slice(0, text.indexOf(':')), password: text.slice(text.indexOf(':') + 1) };
}

/** Returns the repository of a request of git, and the name of its user. Throws a `Refusal` unless its credential may do it. */
export function admit(
  store: ForgeStore, fullName: string, credential: BasicCredential | undefined, isPush: boolean, address = '',
): { readonly repository: ForgeRepository; readonly login: string } {
  const pause = store.spend(credential?.password ?? address);
  if (pause !== undefined) throw new Refusal(429, 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', { 'retry-after': `${pause}` });
  const repository = store.repository(fullName);
  if (credential === undefined) {
    // A repository that does not exist looks as one that is private.
    if (repository === undefined || repository.private) throw new Refusal(401, 'Repository not found.', CHALLENGE);
    if (isPush) throw new Refusal(401, 'No anonymous write access.', CHALLENGE);
    return { repository, login: 'anonymous' };
  }
  const token = store.token(credential.password);
  if (token === undefined || (token.username ?? credential.username) !== credential.username) {
    throw new Refusal(401, 'Invalid username or token. Password authentication is not supported for Git operations.', CHALLENGE);
  }
  if (repository === undefined || (repository.private && !isFor(token, repository))) throw new Refusal(404, 'Repository not found.');
  const isAllowed = allows(token, repository, 'contents', isPush ? 'write' : 'read') || (!isPush && !repository.private);
  if (!isAllowed) {
    throw new Refusal(403, token.installationId === undefined && isPush
      ? `Permission to ${repository.owner}/${repository.name}.git denied to ${token.login}.`
      : 'Write access to repository not granted.');
  }
  if (isPush && repository.archived) throw new Refusal(403, 'This repository was archived so it is read-only.');
  return { repository, login: token.login };
}
