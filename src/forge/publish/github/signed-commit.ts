import { CallOptions } from './api';
import { Octokit } from './octokit';
import { Place } from './place';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { ForgeClient } from '../forge-client';
import { ForgeError } from '../smart-http';

type Content = Parameters<NonNullable<ForgeClient['signedCommit']>>[0];

/**
 * Makes a commit by GitHub, which signs it because it is the app's, and because no author is given. Returns its ID.
 *
 * Its objects must be at GitHub. A repeated call makes another commit if its time is another one; none of them is on a branch.
 */
export async function makeSignedCommit(octokit: Octokit, { owner, repo }: Place, { tree, parents, message }: Content): Promise<string> {
  const request: CallOptions = { permissions: { contents: 'write' }, isRepeatable: true };
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/git/commits', { owner, repo, tree, parents: [...parents], message, request });
  const differs = (what: string) => new ForgeError(FORGE_ERRORS.UNEXPECTED, `GitHub made a commit with another ${what} than it was asked for, which is not used`, data.sha);
  if (data.tree.sha !== tree) throw differs('tree');
  if (data.parents.map(({ sha }) => sha).join() !== parents.join()) throw differs('parent');
  if (data.message.trimEnd() !== message.trimEnd()) throw differs('message');
  if (!data.verification.verified) {
    throw new ForgeError(FORGE_ERRORS.UNEXPECTED, 'GitHub did not sign the commit, which it does for apps only', data.verification.reason);
  }
  return data.sha;
}
