import { allows } from '../tokens';
import type { Answer } from './answers';
import { pullObject } from './content-objects';
import type { RequestContext } from './context';
import type { Shape } from './shapes';
import type { GitHubRepositoryState } from './state';

export const GRAPHQL: Shape = { query: 'string!', variables: 'map' };

const METHODS = { MERGE: 'merge', SQUASH: 'squash', REBASE: 'rebase' } as const;

/** `POST /graphql`. Only the mutation `enablePullRequestAutoMerge` is emulated. */
export function answerGraphql({ body, state, origin, token }: RequestContext, repositories: readonly GitHubRepositoryState[]): Answer {
  const path = 'enablePullRequestAutoMerge';
  const failed = (type: string, message: string): Answer => ({
    status: 200, body: { data: { [path]: null }, errors: [{ type, path: [path], locations: [{ line: 2, column: 3 }], message }] },
  });
  const words = String(body.query).replace(/\s+/g, ' ').trim();
  if (!/^mutation \(\$pullRequestId: ID!, \$mergeMethod: PullRequestMergeMethod!\) \{ enablePullRequestAutoMerge\(input: \{ pullRequestId: \$pullRequestId, mergeMethod: \$mergeMethod \}\) \{ clientMutationId \} \}$/.test(words)) {
    return { status: 200, body: { errors: [{ message: 'Only one form of the mutation enablePullRequestAutoMerge is emulated.', locations: [{ line: 1, column: 1 }] }] } };
  }
  const { pullRequestId, mergeMethod } = (body.variables ?? {}) as Readonly<Record<string, string>>;
  const method = METHODS[mergeMethod as keyof typeof METHODS];
  if (method === undefined) return { status: 200, body: { errors: [{ message: 'Variable $mergeMethod of type PullRequestMergeMethod! was provided invalid value' }] } };
  for (const there of repositories) {
    const pull = there.pulls.find((one) => pullObject(one, there, origin).node_id === pullRequestId);
    if (pull === undefined || !token!.repositories.includes(`${there.repository.owner}/${there.repository.name}`)) continue;
    if (!allows(token!, there.repository, 'contents', 'write') || !allows(token!, there.repository, 'pull_requests', 'write')) {
      return failed('FORBIDDEN', 'Resource not accessible by integration');
    }
    if (!there.allowsAutoMerge) return failed('UNPROCESSABLE', 'Pull request Auto merge is not allowed for this repository');
    const { protectedBranches, rulesets } = there.repository.rules;
    // A pull request that waits for nothing can only be merged at once.
    if (![...protectedBranches, ...rulesets].some(({ branch }) => branch === pull.base)) return failed('UNPROCESSABLE', 'Pull request Pull request is in clean status');
    pull.autoMerge = { login: token!.login, method };
    pull.updated = state.time();
    return { status: 200, body: { data: { [path]: { clientMutationId: null } } } };
  }
  return failed('NOT_FOUND', `Could not resolve to a node with the global id of '${pullRequestId}'`);
}
