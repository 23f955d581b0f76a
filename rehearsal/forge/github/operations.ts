import type { ForgeRepository } from '../store';
import type { Answer } from './answers';
import { getApp, getInstallation, makeToken } from './app';
import { CHANGED_CHECK_RUN, createCheckRun, createStatus, listCheckRuns, NEW_CHECK_RUN, NEW_STATUS, updateCheckRun } from './checks';
import { createComment, listComments, updateComment } from './comments';
import { createCommit, NEW_COMMIT } from './commits';
import type { RequestContext } from './context';
import { fullRepositoryObject, ownUserObject } from './objects';
import { addLabels, createPull, listPulls, requestReviewers, updatePull } from './pulls';
import type { Shape } from './shapes';

export interface Operation {
  /** The credential that the operation is for. @default - a token for a repository */
  readonly of?: 'app' | 'user';
  /** The permissions of a token, of which it must have one. @default - any token for the repository */
  readonly permissions?: readonly string[];
  /** @default false */
  readonly isRead?: boolean;
  /** @default - no body */
  readonly body?: Shape;
  readonly answer: (context: RequestContext, repository: ForgeRepository) => Answer | Promise<Answer>;
}

const PULLS = ['pull_requests'];
/** Pull requests are issues, too. */
const ISSUES = ['issues', ...PULLS];

/** The operations by their method and path. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /app': { of: 'app', answer: getApp },
  'POST /app/installations/{installation_id}/access_tokens': { of: 'app', body: { repositories: 'string[]', permissions: 'map' }, answer: makeToken },
  'GET /user': { of: 'user', answer: ({ token, state, origin }) => ({ status: 200, body: ownUserObject(token!.login, state, origin) }) },
  'GET /repos/{owner}/{repo}/installation': { of: 'app', answer: getInstallation },
  'GET /repos/{owner}/{repo}': { isRead: true, answer: getRepository },
  'GET /repos/{owner}/{repo}/pulls': { permissions: PULLS, isRead: true, answer: listPulls },
  'POST /repos/{owner}/{repo}/pulls': {
    permissions: PULLS,
    body: { title: 'string', head: 'string!', base: 'string!', body: 'string?', draft: 'boolean', maintainer_can_modify: 'boolean' },
    answer: createPull,
  },
  'PATCH /repos/{owner}/{repo}/pulls/{pull_number}': {
    permissions: PULLS, body: { title: 'string', body: 'string?', state: ['open', 'closed'] }, answer: updatePull,
  },
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers': {
    permissions: PULLS, body: { reviewers: 'string[]', team_reviewers: 'string[]' }, answer: requestReviewers,
  },
  'POST /repos/{owner}/{repo}/issues/{issue_number}/labels': { permissions: ISSUES, body: { labels: 'labels!' }, answer: addLabels },
  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': { permissions: ISSUES, isRead: true, answer: listComments },
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': { permissions: ISSUES, body: { body: 'string!' }, answer: createComment },
  'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}': { permissions: ISSUES, body: { body: 'string!' }, answer: updateComment },
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs': { permissions: ['checks'], isRead: true, answer: listCheckRuns },
  'POST /repos/{owner}/{repo}/check-runs': { permissions: ['checks'], body: NEW_CHECK_RUN, answer: createCheckRun },
  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}': { permissions: ['checks'], body: CHANGED_CHECK_RUN, answer: updateCheckRun },
  'POST /repos/{owner}/{repo}/statuses/{sha}': { permissions: ['statuses'], body: NEW_STATUS, answer: createStatus },
  'POST /repos/{owner}/{repo}/git/commits': { permissions: ['contents'], body: NEW_COMMIT, answer: createCommit },
};

/** `GET /repos/{owner}/{repo}`. GitHub says what the user of a token may do; it does not for apps. */
function getRepository({ state, origin, token }: RequestContext, repository: ForgeRepository): Answer {
  const isUser = token?.installationId === undefined;
  const can = (access: 'read' | 'write') => isUser && (token?.permissions.contents === 'write' || token?.permissions.contents === access);
  const permissions = { admin: false, maintain: false, push: can('write'), triage: can('write'), pull: can('read') };
  return { status: 200, body: fullRepositoryObject(state.of(repository), origin, permissions) };
}
