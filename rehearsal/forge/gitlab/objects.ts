import type { RequestContext } from './context';
import type { GitLabMergeRequest, GitLabNote, GitLabStatus } from './state';

// The objects of GitLab's API, with the fields that are there in every plan. Fields that nobody reads have the value of a project without anything.

type Context = Pick<RequestContext, 'state' | 'origin' | 'project'>;

export function userObject({ state, origin }: Pick<Context, 'state' | 'origin'>, username: string): object {
  const { id } = state.user(username);
  return { id, username, public_email: null, name: username, state: 'active', locked: false, avatar_url: null, web_url: `${origin}/${username}` };
}

export function projectObject({ origin, project, state, level }: Context & Pick<RequestContext, 'level'>): object {
  const { id, path, repository: { owner, name, archived, private: isPrivate } } = project;
  const url = `${origin}/${path}`;
  const access = (isThere: boolean) => (isThere ? 'enabled' : 'disabled');
  return {
    id,
    description: null,
    name,
    name_with_namespace: `${owner} / ${name}`,
    path: name,
    path_with_namespace: path,
    created_at: state.time(),
    default_branch: 'main',
    web_url: url,
    http_url_to_repo: `${url}.git`,
    visibility: isPrivate ? 'private' : 'public',
    archived,
    merge_requests_enabled: project.hasMergeRequests,
    merge_requests_access_level: access(project.hasMergeRequests),
    issues_enabled: project.hasIssues,
    issues_access_level: access(project.hasIssues),
    can_create_merge_request_in: project.hasMergeRequests && level >= 30,
    merge_method: project.mergeMethod,
    permissions: { project_access: { access_level: level, notification_level: 3 }, group_access: null },
  };
}

export const DRAFT = /^\s*(?:draft:|\[draft\]|\(draft\))/i;

/** @param sha the commit of the source branch */
export function mergeRequestObject(context: Context, request: GitLabMergeRequest, sha: string | undefined): object {
  const { origin, project } = context;
  const isDraft = DRAFT.test(request.title);
  const isUnknown = request.unknownFor > 0;
  return {
    id: request.id,
    iid: request.iid,
    project_id: project.id,
    title: request.title,
    description: request.description,
    state: request.state,
    created_at: request.created,
    updated_at: request.updated,
    target_branch: request.target,
    source_branch: request.source,
    author: userObject(context, request.author),
    assignees: [],
    assignee: null,
    reviewers: request.reviewers.map((name) => userObject(context, name)),
    source_project_id: project.id,
    target_project_id: project.id,
    labels: request.labels,
    draft: isDraft,
    work_in_progress: isDraft,
    milestone: null,
    merge_when_pipeline_succeeds: request.autoMerge,
    merge_status: isUnknown ? 'checking' : 'can_be_merged',
    detailed_merge_status: isUnknown ? 'checking' : isDraft ? 'draft_status' : project.pipeline === 'running' ? 'ci_still_running' : 'mergeable',
    sha: isUnknown ? null : sha ?? null,
    merge_commit_sha: null,
    squash: request.squash,
    references: { short: `!${request.iid}`, relative: `!${request.iid}`, full: `${project.path}!${request.iid}` },
    web_url: `${origin}/${project.path}/-/merge_requests/${request.iid}`,
  };
}

export function noteObject(context: Context, note: GitLabNote): object {
  return {
    id: note.id,
    type: null,
    body: note.body,
    author: userObject(context, note.author),
    created_at: note.created,
    updated_at: note.updated,
    system: false,
    noteable_type: note.of === 'issues' ? 'Issue' : 'MergeRequest',
    project_id: context.project.id,
    noteable_iid: note.iid,
    resolvable: false,
    confidential: false,
    internal: false,
  };
}

export function statusObject(context: Context, status: GitLabStatus): object {
  return {
    id: status.id,
    sha: status.commit,
    ref: status.ref,
    status: status.status,
    name: status.name,
    target_url: null,
    description: status.description,
    created_at: status.created,
    started_at: null,
    finished_at: status.created,
    allow_failure: false,
    coverage: null,
    author: userObject(context, status.author),
  };
}
