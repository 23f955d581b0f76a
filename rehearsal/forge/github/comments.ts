import type { ForgeRepository } from '../store';
import { allows } from '../tokens';
import { Answer, ApiError, notFound, validationFailed } from './answers';
import { commentObject } from './content-objects';
import { pageOf, RequestContext } from './context';
import type { ForgeComment } from './state';

/** The maximum number of characters of a body. */
const LENGTH = 65_536;

/** Returns the number of an issue or a pull request. The permission for pull requests is for their comments, too, and for no other issue's. */
function issueOf({ state, params, token }: RequestContext, repository: ForgeRepository, access: 'read' | 'write'): number {
  const there = state.of(repository);
  const number = Number(params.issue_number);
  const isPull = there.pulls.some((pull) => pull.number === number);
  if (!isPull && !there.issues.has(number)) throw notFound();
  const isAllowed = token === undefined || allows(token, repository, 'issues', access) || (isPull && allows(token, repository, 'pull_requests', access));
  if (!isAllowed) throw new ApiError(403, 'Resource not accessible by integration');
  return number;
}

function bodyOf({ body }: RequestContext): string {
  const text = String(body.body);
  if (text.trim() === '') throw validationFailed({ resource: 'IssueComment', code: 'custom', field: 'body', message: 'body cannot be blank' });
  if ([...text].length <= LENGTH) return text;
  throw validationFailed({ resource: 'IssueComment', code: 'custom', field: 'body', message: `body is too long (maximum is ${LENGTH} characters)` });
}

function objectOf({ state, app, origin }: RequestContext, repository: ForgeRepository, comment: ForgeComment) {
  return commentObject(comment, { state, repository: state.of(repository), app, origin });
}

/** `GET /repos/{owner}/{repo}/issues/{issue_number}/comments`, the oldest first */
export function listComments(context: RequestContext, repository: ForgeRepository): Answer {
  const { state, origin } = context;
  const there = state.of(repository);
  const number = issueOf(context, repository, 'read');
  const found = there.comments.filter(({ issue }) => issue === number);
  const { items, headers } = pageOf(found, context, `${origin}/api/v3/repositories/${there.id}/issues/${number}/comments`);
  return { status: 200, headers, body: items.map((comment) => objectOf(context, repository, comment)) };
}

/** `POST /repos/{owner}/{repo}/issues/{issue_number}/comments` */
export function createComment(context: RequestContext, repository: ForgeRepository): Answer {
  const { state, token } = context;
  const comment: ForgeComment = {
    issue: issueOf(context, repository, 'write'),
    id: state.nextId(),
    login: token!.login,
    byApp: token!.installationId !== undefined,
    body: bodyOf(context),
    created: state.time(),
    updated: state.time(),
  };
  state.of(repository).comments.push(comment);
  return { status: 201, body: objectOf(context, repository, comment) };
}

/** `PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}`. Who may write to issues may change the comments of others, as at GitHub. */
export function updateComment(context: RequestContext, repository: ForgeRepository): Answer {
  const { state, params } = context;
  const comment = state.of(repository).comments.find(({ id }) => `${id}` === params.comment_id);
  if (comment === undefined) throw notFound();
  comment.body = bodyOf(context);
  comment.updated = state.time();
  return { status: 200, body: objectOf(context, repository, comment) };
}
