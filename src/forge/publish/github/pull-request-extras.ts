import { CallOptions } from './api';
import { Octokit } from './octokit';
import { Place } from './place';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { tried } from '../api-failure';
import { PullRequestContent } from '../forge-client';
import { ForgeError } from '../smart-http';

/** The parts of a pull request at GitHub that are read. */
export interface Pull {
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

const AUTO_MERGE = `mutation ($pullRequestId: ID!, $mergeMethod: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: { pullRequestId: $pullRequestId, mergeMethod: $mergeMethod }) { clientMutationId }
}`;

/** Adds labels, reviewers and auto-merge to a pull request. Returns a warning for each that GitHub refuses: the pull request can do without. */
export async function addExtras(
  octokit: Octokit, { owner, repo, graphql }: Place, pull: Pull, content: PullRequestContent, options: CallOptions,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const request: CallOptions = { ...options, isRepeatable: true }; // what is there already stays
  const number = pull.number;

  await each('label', missing(content.labels, pull.labels.map(({ name }) => name)), async (labels) => (
    octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', { owner, repo, issue_number: number, labels, request })));
  const ask = async (reviewers: { reviewers: string[] } | { team_reviewers: string[] }) => (
    octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', { owner, repo, pull_number: number, ...reviewers, request }));
  await each('reviewer', missing(content.reviewers, (pull.requested_reviewers ?? []).map(({ login }) => login)), async (reviewers) => ask({ reviewers }));
  await each('team', missing(content.teamReviewers, (pull.requested_teams ?? []).map(({ slug }) => slug)), async (names) => ask({ team_reviewers: names }));

  const { autoMerge } = content;
  if (autoMerge !== undefined && pull.auto_merge === null) {
    await tried(warnings, 'auto-merge', async () => {
      const variables = { pullRequestId: pull.node_id, mergeMethod: autoMerge };
      const { data } = await octokit.request(`POST ${graphql}`, { query: AUTO_MERGE, variables, request });
      // GraphQL answers with 200 in any case.
      const [error] = (data as { errors?: readonly { message: string }[] }).errors ?? [];
      if (error !== undefined) throw new ForgeError(FORGE_ERRORS.REFUSED, 'GitHub refuses to enable auto-merge', error.message.slice(0, 500));
    });
  }
  return warnings;

  /** Sends names at once. GitHub refuses all for one, so a refusal is followed by each on its own. */
  async function each(what: string, names: string[], send: (names: string[]) => Promise<unknown>): Promise<void> {
    if (names.length > 1) {
      const before = warnings.length;
      if (await tried(warnings, what, async () => send(names))) return;
      warnings.splice(before);
    }
    for (const name of names) await tried(warnings, `${what} ${name}`, async () => send([name]));
  }

}

/** Returns the names that are not there yet. GitHub's names of labels and users have no case. */
function missing(names: readonly string[], there: readonly string[]): string[] {
  const known = new Set(there.map((name) => name.toLowerCase()));
  return names.filter((name) => !known.has(name.toLowerCase()));
}
