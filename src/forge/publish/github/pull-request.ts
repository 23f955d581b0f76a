import { Octokit } from './octokit';
import { Permissions } from './api';
import { foundOrMade } from './found-or-made';
import { Place } from './place';
import { BODY_LENGTH, bounded, TITLE_LENGTH } from './text';
import { Clock } from '../../../handler/clock';
import { PullRequest, PullRequestContent } from '../forge-client';
import { FORGE_ERRORS, ForgeError } from '../smart-http';

/** Enabling auto-merge needs to write contents, too. */
const PERMISSIONS: Permissions = { contents: 'write', pull_requests: 'write' };
const request = { permissions: PERMISSIONS };

const AUTO_MERGE = `mutation ($pullRequestId: ID!, $mergeMethod: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: { pullRequestId: $pullRequestId, mergeMethod: $mergeMethod }) { clientMutationId }
}`;

/** The parts of a pull request at GitHub that are read. */
interface Pull {
  readonly number: number;
  readonly node_id: string;
  readonly html_url: string;
  readonly title: string;
  readonly body: string | null;
  readonly labels: readonly { readonly name: string }[];
  readonly requested_reviewers?: readonly { readonly login: string }[] | null;
  readonly requested_teams?: readonly { readonly slug: string }[] | null;
  readonly auto_merge: unknown;
}

/** Makes a pull request, or updates the open one of its branch. What GitHub refuses beside it becomes a warning. */
export async function makePullRequest(octokit: Octokit, { owner, repo, graphql }: Place, content: PullRequestContent, clock: Clock): Promise<PullRequest> {
  const { head, base, draft, autoMerge } = content;
  const [title, body] = [bounded(content.title, TITLE_LENGTH, '…'), bounded(content.body, BODY_LENGTH)];
  const warnings: string[] = [];

  /** Does what the pull request can do without. */
  const tried = async <T>(what: string, action: () => Promise<T>): Promise<boolean> => {
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      warnings.push(`${what}: ${error.quote === '' ? error.summary : error.quote}`);
      return false;
    }
  };

  const find = async (): Promise<Pull | undefined> => {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls', { owner, repo, state: 'open', head: `${owner}:${head}`, base, request });
    // GitHub ignores a filter that it cannot read, and answers with all pull requests.
    return data.find((one) => one.head.ref === head && one.base.ref === base && one.head.repo?.full_name.toLowerCase() === one.base.repo.full_name.toLowerCase());
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
  const { number } = pull;

  if (isFound && (pull.title !== title || (pull.body ?? '') !== body)) {
    await octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', { owner, repo, pull_number: number, title, body, request });
  }

  const hasLabel = (label: string) => pull.labels.some(({ name }) => name.toLowerCase() === label.toLowerCase());
  const addLabels = async (labels: string[]) => octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
    owner, repo, issue_number: number, labels, request: { ...request, isRepeatable: true },
  });
  await each(content.labels.filter((label) => !hasLabel(label)), addLabels, 'label');

  const ask = async (reviewers: { reviewers?: string[]; team_reviewers?: string[] }) => octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', {
    owner, repo, pull_number: number, ...reviewers, request: { ...request, isRepeatable: true },
  });
  const isAsked = (name: string, asked: readonly string[]) => asked.some((one) => one.toLowerCase() === name.toLowerCase());
  const users = (pull.requested_reviewers ?? []).map(({ login }) => login);
  const teams = (pull.requested_teams ?? []).map(({ slug }) => slug);
  await each(content.reviewers.filter((name) => !isAsked(name, users)), async (reviewers) => ask({ reviewers }), 'reviewer');
  await each(content.teamReviewers.filter((name) => !isAsked(name, teams)), async (names) => ask({ team_reviewers: names }), 'team');

  if (autoMerge !== undefined && pull.auto_merge === null) {
    await tried('auto-merge', async () => {
      const { data } = await octokit.request(`POST ${graphql}`, {
        query: AUTO_MERGE, variables: { pullRequestId: pull.node_id, mergeMethod: autoMerge }, request: { ...request, isRepeatable: true },
      });
      const [error] = (data as { errors?: readonly { message: string }[] }).errors ?? [];
      if (error !== undefined) throw new ForgeError(FORGE_ERRORS.REFUSED, 'GitHub refuses to enable auto-merge', error.message.slice(0, 500));
    });
  }
  return { number, url: pull.html_url, ...isFound ? { found: true } : {}, ...warnings.length === 0 ? {} : { warnings } };

  /** Sends names at once. GitHub refuses all for one, so a refusal is followed by each on its own. */
  async function each(names: readonly string[], send: (names: string[]) => Promise<unknown>, what: string): Promise<void> {
    if (names.length === 0) return;
    if (names.length > 1) {
      const before = warnings.length;
      if (await tried(what, async () => send([...names]))) return;
      warnings.splice(before);
    }
    for (const name of names) await tried(`${what} ${name}`, async () => send([name]));
  }
}
