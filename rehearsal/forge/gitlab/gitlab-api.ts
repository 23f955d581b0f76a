import type { ApiReply, ApiRequest } from '../forge-server';
import type { ForgeStore } from '../store';
import { ForgeToken, isFor } from '../tokens';
import { Answer, ApiError, forbidden, notFound, refused, replyOf, unauthorized } from './answers';
import type { RequestContext } from './context';
import { GENERAL, OPERATIONS } from './operations';
import { valuesOf } from './parameters';
import { GitLabProject, GitLabState } from './state';

/**
 * The part of GitLab's REST API (v4) that the publisher uses.
 *
 * A token needs the permission `api`, which is GitLab's scope: `write` for `api`, `read` for `read_api`.
 */
export class GitLabApi {
  readonly state: GitLabState;

  constructor(private readonly store: ForgeStore, private readonly origin: string) {
    this.state = new GitLabState(store);
  }

  readonly answer = async (request: ApiRequest): Promise<ApiReply> => {
    const pause = this.store.spend(request.headers.authorization ?? '');
    if (pause !== undefined) return { status: 429, headers: { 'content-type': 'text/plain', 'retry-after': `${pause}` }, body: 'Retry later\n' };
    try {
      return replyOf(await this.answered(request));
    } catch (error) {
      if (error instanceof ApiError) return replyOf(error);
      throw error;
    }
  };

  private async answered({ method, path, headers, body }: ApiRequest): Promise<Answer> {
    const { pathname, searchParams: query } = new URL(path, this.origin);
    const { store, state, origin } = this;
    const token = this.token(headers);
    const isRead = method === 'GET';
    const scope = token.permissions.api;
    if (scope !== 'write' && !(isRead && scope === 'read')) {
      throw new ApiError(403, {
        error: 'insufficient_scope',
        error_description: 'The request requires higher privileges than provided by the access token.',
        scope: isRead ? 'api read_api' : 'api',
      });
    }
    state.user(token.login);
    const values = (parameters = {}) => valuesOf(query, body, headers['content-type'], parameters);
    const common = { store, state, origin, token };
    const [, id, rest] = /^\/api\/v4\/projects\/([^/]+)(.*)$/.exec(pathname) ?? [];
    if (id === undefined) {
      const operation = GENERAL[`${method} ${pathname.replace('/api/v4', '')}`] ?? noSuchOperation();
      return operation.answer({ ...common, params: {}, values: values(operation.parameters) } as unknown as RequestContext);
    }
    const moved = /^\d+$/.test(id) ? undefined : store.movedTo(decodeURIComponent(id));
    if (moved !== undefined) return this.redirect(moved, method, rest, query);
    const project = this.project(id, token);
    const level = project.members.get(token.login) ?? (token.permissions.contents === 'write' ? 30 : 20);
    const { operation, params } = operationOf(method, rest);
    if (level < operation.level || (!isRead && project.repository.archived)) throw forbidden();
    return operation.answer({ ...common, params, values: values(operation.parameters), level, project });
  }

  private token(headers: ApiRequest['headers']): ForgeToken {
    const value = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? String(headers['private-token'] ?? '');
    const token = this.store.token(value);
    if (token !== undefined) return token;
    if (!this.store.tokens.has(value)) throw unauthorized();
    throw new ApiError(401, { error: 'invalid_token', error_description: 'Token is expired. You can either do re-authorization or token refresh.' });
  }

  /** Returns a project by its ID, or by its path in one segment. One that the token is not for looks as if it did not exist. */
  private project(id: string, token: ForgeToken): GitLabProject {
    const repository = this.store.repository(decodeURIComponent(id));
    const project = /^\d+$/.test(id) ? this.state.byId(Number(id)) : repository && this.state.of(repository);
    if (project === undefined || !isFor(token, project.repository)) throw notFound('Project');
    return project;
  }

  /** GitLab redirects to a renamed project what reads, and refuses what writes. */
  private redirect(to: string, method: string, rest: string, query: URLSearchParams): Answer {
    if (method !== 'GET') throw refused(405, 'Non GET methods are not allowed for moved projects');
    const base = to.includes('://') ? `${new URL(to).origin}/api/v4/projects/1` : `${this.origin}/api/v4/projects/${this.state.of(this.store.repository(to)!).id}`;
    const location = `${base}${rest}${query.size === 0 ? '' : `?${query.toString()}`}`;
    return { status: 302, headers: { location }, body: `This resource has been moved temporarily to ${location}.` };
  }
}

function operationOf(method: string, path: string) {
  for (const [route, operation] of Object.entries(OPERATIONS)) {
    const [ofMethod, template] = [route.slice(0, route.indexOf(' ')), route.slice(route.indexOf(' ') + 1)];
    if (ofMethod !== method) continue;
    const found = new RegExp(`^${template.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`).exec(path);
    if (found === null) continue;
    return { operation, params: Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])) };
  }
  return noSuchOperation();
}

function noSuchOperation(): never {
  throw new ApiError(404, { error: '404 Not Found' });
}
