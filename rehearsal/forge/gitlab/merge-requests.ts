import { Answer, forbidden, notFound, refused, unauthorized } from './answers';
import { pageOf, RequestContext, throwIfTooLong } from './context';
import { DRAFT, mergeRequestObject } from './objects';
import { withoutQuickActions } from './quick-actions';
import type { GitLabMergeRequest } from './state';

async function commitOf({ store, project }: RequestContext, branch: string): Promise<string | undefined> {
  // As an argument of its own it could be an option.
  return store.git(project.repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`).catch(() => undefined);
}

async function objectOf(context: RequestContext, request: GitLabMergeRequest): Promise<object> {
  return mergeRequestObject(context, request, await commitOf(context, request.source));
}

function throwUnlessEnabled({ project }: RequestContext): void {
  if (!project.hasMergeRequests) throw forbidden();
}

export function mergeRequestAt({ project, params }: RequestContext): GitLabMergeRequest {
  const found = project.mergeRequests.find(({ iid }) => `${iid}` === params.iid);
  if (found === undefined) throw notFound();
  return found;
}

/** `GET /projects/:id/repository/branches/:branch` */
export async function getBranch(context: RequestContext): Promise<Answer> {
  const { branch } = context.params;
  const id = await commitOf(context, branch);
  if (id === undefined) throw notFound('Branch');
  return { status: 200, body: { name: branch, merged: false, protected: false, default: branch === 'main', commit: { id } } };
}

/** `GET /projects/:id/merge_requests`, the newest first */
export async function listMergeRequests(context: RequestContext): Promise<Answer> {
  throwUnlessEnabled(context);
  const { project, values: { state = 'all', source_branch: source, target_branch: target } } = context;
  const found = project.mergeRequests.filter((one) => (state === 'all' || one.state === state)
    && (source === undefined || one.source === source) && (target === undefined || one.target === target)).reverse();
  const objects = new Map(await Promise.all(found.map(async (one) => [one, await objectOf(context, one)] as const)));
  return pageOf(found, context, (one) => objects.get(one)!);
}

/** `POST /projects/:id/merge_requests` */
export async function createMergeRequest(context: RequestContext): Promise<Answer> {
  throwUnlessEnabled(context);
  const { project, state, values, token } = context;
  const [source, target] = [String(values.source_branch), String(values.target_branch)];
  if (source === target) throw refused(422, ['You can\'t use same project/branch for source and target']);
  const other = project.mergeRequests.find((one) => one.state === 'opened' && one.source === source && one.target === target);
  if (other !== undefined) throw refused(409, [`Another open merge request already exists for this source branch: !${other.iid}`]);
  throwIfTooLong(values);
  const request: GitLabMergeRequest = {
    id: state.nextId(),
    iid: project.mergeRequests.length + 1,
    source,
    target,
    title: String(values.title).trim(),
    description: withoutQuickActions(context, String(values.description ?? '')),
    state: 'opened',
    author: token.login,
    labels: [],
    reviewers: [],
    squash: false,
    autoMerge: false,
    unknownFor: project.unknownFor,
    created: state.time(),
    updated: state.time(),
  };
  project.mergeRequests.push(request);
  return { status: 201, body: await objectOf(context, request) };
}

/** `GET /projects/:id/merge_requests/:iid` */
export async function getMergeRequest(context: RequestContext): Promise<Answer> {
  const request = mergeRequestAt(context);
  const body = await objectOf(context, request);
  request.unknownFor = Math.max(0, request.unknownFor - 1);
  return { status: 200, body };
}

/** `PUT /projects/:id/merge_requests/:iid` */
export async function updateMergeRequest(context: RequestContext): Promise<Answer> {
  const { state, values, project } = context;
  const request = mergeRequestAt(context);
  const { title, description, add_labels: labels, reviewer_ids: reviewers } = values;
  throwIfTooLong(values);
  if (title !== undefined) request.title = String(title).trim();
  if (description !== undefined) request.description = withoutQuickActions(context, String(description));
  for (const label of String(labels ?? '').split(',').filter((one) => one !== '')) {
    if (label.length > 255) continue; // GitLab leaves out labels that it cannot make
    if (!request.labels.includes(label)) request.labels.push(label);
  }
  if (reviewers !== undefined) {
    const wanted = reviewers as readonly number[];
    // Users who cannot read the project are left out.
    const users = [...state.users].filter(([, { id, isMember }]) => isMember && wanted.includes(id)).map(([name]) => name);
    request.reviewers = users.slice(0, project.maxReviewers);
  }
  request.updated = state.time();
  return { status: 200, body: await objectOf(context, request) };
}

/** `PUT /projects/:id/merge_requests/:iid/merge` */
export async function merge(context: RequestContext): Promise<Answer> {
  const { values, project, level } = context;
  const request = mergeRequestAt(context);
  if (level < 30) throw unauthorized();
  const isLater = values.auto_merge === true || values.merge_when_pipeline_succeeds === true;
  const isReady = request.state === 'opened' && request.unknownFor === 0 && !DRAFT.test(request.title);
  const isNow = isReady && (isLater ? project.pipeline === 'success' : project.pipeline === undefined || project.pipeline === 'success');
  if (!isNow && !(isReady && isLater && project.pipeline === 'running')) throw refused(405, '405 Method Not Allowed');
  const sha = await commitOf(context, request.source);
  if (values.sha !== undefined && values.sha !== sha) throw refused(409, `SHA does not match HEAD of source branch: ${sha}`);
  request.squash = values.squash === true;
  if (isNow) request.state = 'merged';
  else request.autoMerge = true;
  return { status: 200, body: await objectOf(context, request) };
}
