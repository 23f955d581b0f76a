import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { ForgeConfig } from '../../constants';
import { ForgeError } from '../smart-http';

export type GitLabConfig = Extract<ForgeConfig, { kind: 'gitlab' }>;

/** A project at GitLab, and the URL of its API. */
export interface Place {
  /** The path of the project with its groups, such as `group/sub/app`. */
  readonly project: string;
  /** The URL of the REST API, without a slash at its end. */
  readonly api: string;
}

const GITLAB = 'https://gitlab.com';

/** Returns where a project and its API are. A credential is sent to no other host than that of the repository. */
export function placeOf({ baseUrl = GITLAB }: GitLabConfig, repositoryUrl: string, localOrigin?: string): Place {
  const repository = parsed(repositoryUrl, 'the URL of the repository');
  const instance = parsed(baseUrl, '"baseUrl"');
  const base = instance.pathname.replace(/\/+$/, '');
  if (localOrigin === undefined) {
    if (instance.protocol !== 'https:' || repository.protocol !== 'https:') throw refused('"baseUrl" and the URL of the repository must begin with https://');
    if (instance.host !== repository.host || !repository.pathname.startsWith(`${base}/`)) {
      throw refused(`"baseUrl" must be the GitLab instance of ${repository.host}, such as https://${repository.host}, not ${shown(instance)}`);
    }
    return { project: projectIn(repository, base), api: `${instance.origin}${base}/api/v4` };
  }
  const local = parsed(localOrigin, 'the local origin');
  if (local.hostname !== '127.0.0.1') throw refused(`the local origin must be at 127.0.0.1, not at ${local.hostname}`);
  return { project: projectIn(repository, repository.origin === local.origin ? '' : base), api: `${local.origin}/api/v4` };
}

/** Returns the path of a project. GitLab has groups in groups, but no projects without a group or a user. */
function projectIn(repository: URL, base: string): string {
  const [, path] = /^\/+([^/]+(?:\/[^/]+?)+?)(?:\.git)?\/*$/.exec(repository.pathname.slice(base.length)) ?? [];
  if (path === undefined) throw refused(`the URL of the repository must be https://HOST/GROUP/NAME, not ${shown(repository)}`);
  return decodeURIComponent(path);
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
