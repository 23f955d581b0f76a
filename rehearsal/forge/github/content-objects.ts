import type { ForgeApp } from '../store';
import { appObject, Fields, nodeId, numberOf, repositoryObject, userObject } from './objects';
import type { ForgeCheckRun, ForgeComment, ForgePull, ForgeStatus, GitHubRepositoryState, GitHubState } from './state';

export function labelObject(name: string, repository: GitHubRepositoryState, origin: string): Fields {
  const id = numberOf(name);
  const { owner, name: repo } = repository.repository;
  return {
    id, node_id: nodeId('LA', id), url: `${origin}/api/v3/repos/${owner}/${repo}/labels/${encodeURIComponent(name)}`, name, description: '', color: 'ededed', default: false,
  };
}

/** A pull request as lists have it. */
export function pullObject(pull: ForgePull, repository: GitHubRepositoryState, origin: string): Fields {
  const { owner, name } = repository.repository;
  const url = `${origin}/api/v3/repos/${owner}/${name}`;
  const html = `${origin}/${owner}/${name}/pull/${pull.number}`;
  const repo = repositoryObject(repository, origin);
  const side = (ref: string, sha: string) => ({ label: `${owner}:${ref}`, ref, sha, repo, user: userObject(owner, origin) });
  const urls = {
    comments: `${url}/issues/${pull.number}/comments`,
    commits: `${url}/pulls/${pull.number}/commits`,
    statuses: `${url}/statuses/${pull.headSha}`,
    issue: `${url}/issues/${pull.number}`,
    review_comments: `${url}/pulls/${pull.number}/comments`,
    review_comment: `${url}/pulls/comments{/number}`,
  };
  return {
    url: `${url}/pulls/${pull.number}`,
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    ...Object.fromEntries(Object.entries(urls).map(([key, value]) => [`${key}_url`, value])),
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: userObject(pull.login, origin),
    body: pull.body,
    labels: pull.labels.map((label) => labelObject(label, repository, origin)),
    milestone: null,
    created_at: pull.created,
    updated_at: pull.updated,
    closed_at: pull.state === 'closed' ? pull.updated : null,
    merged_at: null,
    merge_commit_sha: null,
    assignee: null,
    assignees: [],
    requested_reviewers: pull.reviewers.map((login) => userObject(login, origin)),
    requested_teams: pull.teams.map((slug) => ({ ...teamObject(slug, origin), type: 'organization' })),
    head: side(pull.head, pull.headSha),
    base: side(pull.base, pull.baseSha),
    _links: Object.fromEntries(Object.entries({ ...urls, html, self: `${url}/pulls/${pull.number}` }).map(([key, href]) => [key, { href }])),
    author_association: 'COLLABORATOR',
    draft: pull.draft,
    auto_merge: pull.autoMerge === undefined ? null : {
      enabled_by: userObject(pull.autoMerge.login, origin), merge_method: pull.autoMerge.method, commit_title: pull.title, commit_message: '',
    },
  };
}

/** A pull request on its own. */
export function fullPullObject(pull: ForgePull, repository: GitHubRepositoryState, origin: string): Fields {
  return {
    ...pullObject(pull, repository, origin),
    merged: false,
    mergeable: null,
    rebaseable: null,
    mergeable_state: 'unknown',
    merged_by: null,
    comments: repository.comments.filter(({ issue }) => issue === pull.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: 1,
    additions: 0,
    deletions: 0,
    changed_files: 0,
  };
}

/** A team as the answer to a request for reviews has it. In a pull request, teams have a type. */
export function teamObject(slug: string, origin: string): Fields {
  const id = numberOf(slug);
  const url = `${origin}/api/v3/teams/${id}`;
  return {
    id,
    node_id: nodeId('T', id),
    url,
    members_url: `${url}/members{/member}`,
    name: slug,
    description: null,
    permission: 'push',
    privacy: 'closed',
    html_url: `${origin}/orgs/octo/teams/${slug}`,
    repositories_url: `${url}/repos`,
    slug,
    parent: null,
  };
}

export function commentObject(comment: ForgeComment, { state, repository, app, origin }: {
  readonly state: GitHubState; readonly repository: GitHubRepositoryState; readonly app?: ForgeApp; readonly origin: string;
}): Fields {
  const { owner, name } = repository.repository;
  const url = `${origin}/api/v3/repos/${owner}/${name}/issues`;
  return {
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    url: `${url}/comments/${comment.id}`,
    html_url: `${origin}/${owner}/${name}/issues/${comment.issue}#issuecomment-${comment.id}`,
    issue_url: `${url}/${comment.issue}`,
    body: comment.body,
    user: userObject(comment.login, origin),
    created_at: comment.created,
    updated_at: comment.updated,
    author_association: 'COLLABORATOR',
    performed_via_github_app: comment.byApp && app !== undefined ? appObject(app, state, origin) : null,
  };
}

export function checkRunObject(run: ForgeCheckRun, { state, repository, app, origin }: {
  readonly state: GitHubState; readonly repository: GitHubRepositoryState; readonly app?: ForgeApp; readonly origin: string;
}): Fields {
  const { owner, name } = repository.repository;
  const url = `${origin}/api/v3/repos/${owner}/${name}/check-runs/${run.id}`;
  const of = run.app === app?.id ? app : { id: run.app, slug: `app-${run.app}`, publicKey: '' };
  return {
    id: run.id,
    head_sha: run.commit,
    node_id: nodeId('CR', run.id),
    external_id: run.externalId,
    url,
    html_url: `${origin}/${owner}/${name}/runs/${run.id}`,
    details_url: `${origin}/${owner}/${name}/runs/${run.id}`,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.started,
    completed_at: run.completed,
    output: { title: run.title, summary: run.summary, text: null, annotations_count: 0, annotations_url: `${url}/annotations` },
    name: run.name,
    check_suite: { id: numberOf(run.commit) },
    app: appObject(of, state, origin),
    pull_requests: [],
  };
}

export function statusObject(status: ForgeStatus, { repository }: GitHubRepositoryState, origin: string): Fields {
  const { owner, name } = repository;
  return {
    url: `${origin}/api/v3/repos/${owner}/${name}/statuses/${status.commit}`,
    avatar_url: null,
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    description: status.description,
    target_url: null,
    context: status.context,
    created_at: status.created,
    updated_at: status.created,
    creator: userObject(status.login, origin),
  };
}
