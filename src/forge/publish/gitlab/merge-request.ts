import { GitLabApi } from './api';
import { addExtras, MergeRequest } from './merge-request-extras';
import { bodyText, titleText } from './text';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { PullRequest, PullRequestContent } from '../forge-client';
import { foundOrMade } from '../found-or-made';
import { ForgeError } from '../smart-http';

/** Makes a merge request, or updates the open one of its branches. What GitLab refuses beside it becomes a warning. */
export async function makeMergeRequest(api: GitLabApi, content: PullRequestContent, clock: Clock): Promise<PullRequest> {
  const { head, base, draft } = content;
  const description = bodyText(content.body);

  const find = async (): Promise<MergeRequest | undefined> => {
    const query = { state: 'opened', source_branch: head, target_branch: base, per_page: 100 };
    const { data } = await api.ofProject<MergeRequest[]>('GET', '/merge_requests', { query });
    // Forks have merge requests for this project, too.
    return data.find((one) => one.source_branch === head && one.target_branch === base && one.source_project_id === one.target_project_id);
  };
  const make = async (): Promise<MergeRequest> => {
    // GitLab makes merge requests for branches that do not exist, which nobody can merge.
    await api.ofProject('GET', `/repository/branches/${encodeURIComponent(base)}`).catch((error: unknown) => {
      if (!(error instanceof ForgeError) || error.name !== FORGE_ERRORS.NOT_FOUND) throw error;
      throw new ForgeError(FORGE_ERRORS.REFUSED, `there is no branch ${base} for the merge request: set "base" of Commit.pullRequest`, error.quote);
    });
    const body = { source_branch: head, target_branch: base, title: titleText(content.title, draft), description };
    return (await api.ofProject<MergeRequest>('POST', '/merge_requests', { body })).data;
  };
  const existed = ({ name, quote }: ForgeError) => name === FORGE_ERRORS.REFUSED && /open merge request already exists/i.test(quote);
  const { value: found, isFound } = await foundOrMade({ find, make, existed }, clock);

  // Somebody may have marked it as ready, or as a draft again.
  const title = titleText(content.title, isFound ? found.draft === true : draft);
  if (isFound && (found.title !== title || (found.description ?? '') !== description)) {
    await api.ofProject('PUT', `/merge_requests/${found.iid}`, { body: { title, description } });
  }
  const warnings = await addExtras(api, found, content, clock);
  return { number: found.iid, url: found.web_url, ...isFound ? { found: true } : {}, ...warnings.length === 0 ? {} : { warnings } };
}
