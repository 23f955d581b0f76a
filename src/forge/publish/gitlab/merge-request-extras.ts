import { GitLabApi } from './api';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { tried } from '../api-failure';
import { PullRequestContent } from '../forge-client';
import { ForgeError } from '../smart-http';

/** The parts of a merge request at GitLab that are read. */
export interface MergeRequest {
  readonly iid: number;
  readonly web_url: string;
  readonly title: string;
  readonly description: string | null;
  readonly draft?: boolean;
  readonly source_branch: string;
  readonly target_branch: string;
  readonly source_project_id: number;
  readonly target_project_id: number;
  readonly labels: readonly string[];
  readonly reviewers?: readonly User[];
  /** The commit of the source branch; null until GitLab has looked at it. */
  readonly sha: string | null;
  readonly merge_when_pipeline_succeeds?: boolean;
  readonly detailed_merge_status?: string;
  readonly state: string;
}

interface User {
  readonly id: number;
  readonly username: string;
}

/** The states of a merge request that GitLab has not looked at yet, which takes seconds. Until then, it refuses to merge it. */
const UNKNOWN: readonly (string | undefined)[] = ['preparing', 'checking', 'unchecked', 'approvals_syncing'];

/** The maximum number of looks at a merge request: GitLab has a minute. */
const LOOKS = 7;

/** Adds labels, reviewers and auto-merge to a merge request. Returns a warning for each that GitLab refuses: the merge request can do without. */
export async function addExtras(api: GitLabApi, mergeRequest: MergeRequest, content: PullRequestContent, clock: Clock): Promise<readonly string[]> {
  const warnings: string[] = [];
  const path = `/merge_requests/${mergeRequest.iid}`;

  const labels = missing(content.labels, mergeRequest.labels).filter((label) => {
    if (!label.includes(',')) return true;
    warnings.push(`label ${label}: GitLab's labels have no commas`);
    return false;
  });
  if (labels.length > 0) await tried(warnings, `labels ${labels.join(', ')}`, async () => api.ofProject('PUT', path, { body: { add_labels: labels.join(',') } }));

  await addReviewers();
  warnings.push(...content.teamReviewers.map((team) => `team ${team}: GitLab's reviewers are users: use its approval rules or code owners for groups`));
  if (content.autoMerge !== undefined && mergeRequest.merge_when_pipeline_succeeds !== true) await tried(warnings, 'auto-merge', merge);
  return warnings;

  async function addReviewers(): Promise<void> {
    const present = mergeRequest.reviewers ?? [];
    const wanted: User[] = [];
    for (const name of missing(content.reviewers, present.map(({ username }) => username))) {
      await tried(warnings, `reviewer ${name}`, async () => {
        const { data } = await api.send<User[]>({ method: 'GET', path: '/users', query: { username: name } });
        const user = data.find(({ username }) => username.toLowerCase() === name.toLowerCase());
        if (user === undefined) throw new ForgeError(FORGE_ERRORS.NOT_FOUND, 'GitLab has no user with this name');
        wanted.push(user);
      });
    }
    if (wanted.length === 0) return;
    await tried(warnings, `reviewers ${wanted.map(({ username }) => username).join(', ')}`, async () => {
      // The list replaces the one that is there.
      const body = { reviewer_ids: [...present, ...wanted].map(({ id }) => id) };
      const { data } = await api.ofProject<MergeRequest>('PUT', path, { body });
      const taken = (data.reviewers ?? []).map(({ id }) => id);
      // GitLab leaves out, without a word, who cannot read the project, and all but one in its free plan.
      const left = wanted.filter(({ id }) => !taken.includes(id));
      warnings.push(...left.map(({ username }) => `reviewer ${username}: GitLab left the user out: the user needs access to the project, and more than one reviewer needs a paid plan`));
    });
  }

  async function merge(): Promise<void> {
    const { autoMerge } = content;
    const { merge_method: method = 'merge' } = await api.project();
    if (autoMerge === 'REBASE' && method === 'merge') warnings.push('auto-merge: GitLab makes a merge commit: the merge method is a setting of the project');
    const { sha } = await looked();
    await api.ofProject('PUT', `${path}/merge`, {
      // GitLab 17.11 renamed the parameter. Earlier versions would merge at once without the first.
      body: { merge_when_pipeline_succeeds: true, auto_merge: true, squash: autoMerge === 'SQUASH', ...sha === null ? {} : { sha } },
    });
  }

  /** Returns the merge request when GitLab has looked at it. */
  async function looked(): Promise<MergeRequest> {
    for (let looks = 1; ; looks++) {
      const { data } = await api.ofProject<MergeRequest>('GET', path);
      if (looks >= LOOKS || !UNKNOWN.includes(data.detailed_merge_status)) return data;
      await clock.sleep(2 ** (looks - 1));
    }
  }
}

/** Returns the names that are not there yet. GitLab's names of users have no case; its labels have, but two that differ by it would be a mistake. */
function missing(names: readonly string[], there: readonly string[]): string[] {
  const known = new Set(there.map((name) => name.toLowerCase()));
  return names.filter((name) => !known.has(name.toLowerCase()));
}
