import type { ApiReply, ApiRequest } from '../forge-server';
import type { ForgeRepository, ForgeStore } from '../store';
import { allows, ForgeToken, isFor } from '../tokens';
import { Answer, ApiError, notFound, replyOf } from './answers';
import { verifiedApp } from './app';
import type { RequestContext } from './context';
import { answerGraphql, GRAPHQL } from './graphql';
import { Operation, OPERATIONS } from './operations';
import { bodyOf } from './shapes';
import { GitHubState } from './state';

/** The part of GitHub's API that the publisher uses. FEATURES.md lists what is emulated and what is not. */
export class GitHubApi {
  readonly state: GitHubState;

  constructor(private readonly store: ForgeStore, private readonly origin: string) {
    this.state = new GitHubState(store);
  }

  readonly answer = async (request: ApiRequest): Promise<ApiReply> => {
    try {
      return replyOf(await this.answered(request));
    } catch (error) {
      if (error instanceof ApiError) return replyOf(error.answer);
      throw error;
    }
  };

  private async answered({ method, path, headers, body }: ApiRequest): Promise<Answer> {
    const { pathname, searchParams: query } = new URL(path, this.origin);
    const { store, state, origin } = this;
    const authorization = headers.authorization;
    if (headers['user-agent'] === undefined) throw new ApiError(403, 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.');
    this.limit(authorization ?? '');
    if (pathname === '/api/graphql' && method === 'POST') {
      const token = this.token(authorization);
      if (token === undefined) throw new ApiError(401, 'This endpoint requires you to be authenticated.');
      return answerGraphql({ store, state, origin, params: {}, query, body: bodyOf(body, GRAPHQL), token }, state.all());
    }
    const { operation, params } = operationOf(method, pathname.replace(/^\/api\/v3/, ''));
    const context = { store, state, origin, params, query };
    if (operation.of === 'app') {
      const app = verifiedApp(authorization, store.app, store.now());
      const repository = params.repo === undefined ? undefined : this.repositoryOf(params);
      return operation.answer({ ...context, app, body: bodyOf(body, operation.body ?? {}) }, repository!);
    }
    const token = this.token(authorization);
    if (operation.of === 'user') {
      if (token === undefined) throw new ApiError(401, 'Requires authentication');
      return operation.answer({ ...context, token, body: {} }, undefined as never);
    }
    const moved = this.redirect(params, method, pathname, query);
    if (moved !== undefined) return moved;
    const repository = this.repositoryOf(params);
    this.admit(operation, repository, token);
    return operation.answer({ ...context, token, app: store.app, body: bodyOf(body, operation.body ?? {}) }, repository);
  }

  /** The primary limit, which GitHub counts by user or installation. */
  private limit(key: string): void {
    const pause = this.store.spend(key);
    if (pause === undefined) return;
    throw new ApiError(403, 'API rate limit exceeded for installation.', undefined, {
      'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${Math.ceil(this.store.now() / 1_000) + pause}`, 'x-ratelimit-resource': 'core',
    });
  }

  private token(authorization: string | undefined): ForgeToken | undefined {
    if (authorization === undefined) return undefined;
    const [, value = ''] = /^(?:token|bearer) (.+)$/i.exec(authorization) ?? [];
    const token = this.store.token(value);
    if (token === undefined) throw new ApiError(401, 'Bad credentials');
    return token;
  }

  /** Returns a repository by its name, or by the ID that redirects have. */
  private repositoryOf({ owner, repo, id }: RequestContext['params']): ForgeRepository {
    const repository = id === undefined ? this.store.repository(`${owner}/${repo}`) : this.state.byId(Number(id));
    if (repository === undefined) throw notFound();
    this.state.of(repository);
    return repository;
  }

  private redirect({ owner, repo, id }: RequestContext['params'], method: string, pathname: string, query: URLSearchParams): Answer | undefined {
    const to = id === undefined ? this.store.movedTo(`${owner}/${repo}`) : undefined;
    if (to === undefined) return undefined;
    const rest = pathname.replace(/^\/api\/v3\/repos\/[^/]+\/[^/]+/, '');
    const url = to.includes('://') ? `${new URL(to).origin}/api/v3/repositories/1${rest}` : `${this.origin}/api/v3/repositories/${this.state.of(this.store.repository(to)!).id}${rest}`;
    const location = query.size === 0 ? url : `${url}?${query.toString()}`;
    const isRead = method === 'GET';
    return { status: isRead ? 301 : 307, headers: { location }, body: { message: isRead ? 'Moved Permanently' : 'Temporary Redirect', url: location, documentation_url: 'https://docs.github.com/rest' } };
  }

  /** Refuses what a token may not do, in the words of GitHub. */
  private admit({ permissions = [], isRead = false }: Operation, repository: ForgeRepository, token: ForgeToken | undefined): void {
    const isTheirs = token !== undefined && isFor(token, repository);
    if (!isTheirs && (repository.private || token === undefined)) throw isRead && !repository.private ? new ApiError(401, 'Requires authentication') : notFound();
    const needed = isRead ? 'read' : 'write';
    const isAllowed = isTheirs && (permissions.length === 0 || permissions.some((permission) => allows(token, repository, permission, needed)));
    if (!isAllowed && !(isRead && !repository.private)) {
      throw new ApiError(403, `Resource not accessible by ${token?.installationId === undefined ? 'personal access token' : 'integration'}`);
    }
    if (!isRead && repository.archived) throw new ApiError(403, 'Repository was archived so is read-only.');
  }
}

function operationOf(method: string, path: string): { readonly operation: Operation; readonly params: Readonly<Record<string, string>> } {
  const known = path.replace(/^\/repositories\/(\d+)(?=\/|$)/, '/repos/-/$1');
  for (const [route, operation] of Object.entries(OPERATIONS)) {
    const [ofMethod, template] = route.split(' ');
    if (ofMethod !== method) continue;
    const found = new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(known);
    if (found === null) continue;
    const params = Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]));
    return { operation, params: params.owner === '-' ? { ...params, id: params.repo } : params };
  }
  throw notFound();
}
