import { CallOptions } from './api';
import { Octokit } from './octokit';
import { Place } from './place';
import { addExtras, Pull } from './pull-request-extras';
import { BODY_LENGTH, TITLE_LENGTH } from './text';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { PullRequest, PullRequestContent } from '../forge-client';
import { foundOrMade } from '../found-or-made';
import { ForgeError } from '../smart-http';
import { bounded } from '../text';

/** Enabling auto-merge needs to write contents, too. */
const request: CallOptions = { permissions: { contents: 'write', pull_requests: 'write' } };

/** Makes a pull request, or updates the open one of its branch. What GitHub refuses beside it becomes a warning. */
export async function makePullRequest(octokit: Octokit, place: Place, content: PullRequestContent, clock: Clock): Promise<PullRequest> {
  const { owner, repo } = place;
  const { head, base, draft } = content;
  const [title, body] = [bounded(content.title, TITLE_LENGTH, '…'), bounded(content.body, BODY_LENGTH)];
  const warnings: string[] = [];

  const find = async (): Promise<Pull | undefined> => {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls', { owner, repo, state: 'open', head: `${owner}:${head}`, base, request });
    // GitHub ignores a filter that it cannot read, and an organization may have forks of its own repositories.
    return data.find((one) => one.head.ref === head && one.base.ref === base && one.head.repo?.id === one.base.repo.id);
  };
  const make = async (asDraft = draft): Promise<Pull> => {
    try {
      return (await octokit.request('POST /repos/{owner}/{repo}/pulls', { owner, repo, head, base, title, body, draft: asDraft, request })).data;
    } catch (error) {
      if (!(error instanceof ForgeError) || !asDraft || !/draft pull requests are not supported/i.test(error.quote)) throw error;
      warnings.push(`draft: ${error.quote}`);
      return make(false);
    }
  };
  const existed = ({ name, quote }: ForgeError) => name === FORGE_ERRORS.REFUSED && /pull request already exists/i.test(quote);
  const { value: pull, isFound } = await foundOrMade({ find, make, existed }, clock);

  if (isFound && (pull.title !== title || (pull.body ?? '') !== body)) {
    await octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', { owner, repo, pull_number: pull.number, title, body, request });
  }
  warnings.push(...await addExtras(octokit, place, pull, content, request));
  return { number: pull.number, url: pull.html_url, ...isFound ? { found: true } : {}, ...warnings.length === 0 ? {} : { warnings } };
}
