import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { ForgeConfig } from '../../constants';
import { ForgeError } from '../smart-http';

export type GitHubConfig = Extract<ForgeConfig, { kind: 'github' }>;

export type GitHubApp = NonNullable<GitHubConfig['app']>;

/** Determines whether something was made by an app. Apps are configured by their ID or their client ID. */
export function isOfApp(by: { readonly id: number | bigint; readonly client_id?: string } | null | undefined, { appId }: GitHubApp): boolean {
  return by !== null && by !== undefined && (String(by.id) === appId || by.client_id === appId);
}

/** A repository at GitHub or GitHub Enterprise, and the URLs of its API. */
export interface Place {
  readonly owner: string;
  readonly repo: string;
  /** The URL of the REST API, without a slash at its end. */
  readonly api: string;
  readonly graphql: string;
}

const GITHUB = 'https://api.github.com';

/** Returns where a repository and its API are. A credential is sent to no other host than that of the repository. */
export function placeOf({ baseUrl = GITHUB }: GitHubConfig, repositoryUrl: string, localOrigin?: string): Place {
  const repository = parsed(repositoryUrl, 'the URL of the repository');
  const [, owner, repo] = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/*$/.exec(repository.pathname) ?? [];
  if (owner === undefined) throw refused(`the URL of the repository must be https://HOST/OWNER/NAME, not ${shown(repository)}`);
  if (localOrigin !== undefined) {
    const local = parsed(localOrigin, 'the local origin');
    if (local.hostname !== '127.0.0.1') throw refused(`the local origin must be at 127.0.0.1, not at ${local.hostname}`);
    return { owner, repo, api: `${local.origin}/api/v3`, graphql: `${local.origin}/api/graphql` };
  }
  const api = parsed(baseUrl, '"baseUrl"');
  if (api.protocol !== 'https:' || repository.protocol !== 'https:') throw refused('"baseUrl" and the URL of the repository must begin with https://');
  if (api.host !== repository.host && api.host !== `api.${repository.host}`) {
    throw refused(`"baseUrl" must be the API of ${repository.host}, such as ${repository.host === 'github.com' ? GITHUB : `https://${repository.host}/api/v3`}, not ${shown(api)}`);
  }
  const base = `${api.origin}${api.pathname.replace(/\/+$/, '')}`;
  // The API of GitHub Enterprise Server is below /api, that of GitHub.com is a host of its own.
  return { owner, repo, api: base, graphql: base.endsWith('/api/v3') ? `${api.origin}/api/graphql` : `${base}/graphql` };
}

function parsed(url: string, name: string): URL {
  if (!URL.canParse(url)) throw refused(`${name} must be a URL`);
  return new URL(url);
}

/** Returns a URL without a user and a password. */
function shown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}

function refused(summary: string): ForgeError {
  return new ForgeError(FORGE_ERRORS.UNEXPECTED, summary);
}
