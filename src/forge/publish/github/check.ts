import { Permissions } from './api';
import { Octokit } from './octokit';
import { Place } from './place';
import { GitHubTokens } from './tokens';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { ForgeUse } from '../../../loop/steps/loop-config';
import { ForgeError } from '../smart-http';

/** The permissions of an app for what a run does beside its push. */
const USES: Readonly<Record<ForgeUse, Permissions>> = { pullRequest: { pull_requests: 'write' }, report: { checks: 'write' }, comment: { issues: 'write' } };

/** Throws if it is known that GitHub will refuse what a run is to do. */
export async function checkRepository(octokit: Octokit, { owner, repo }: Place, tokens: GitHubTokens, uses: readonly ForgeUse[]): Promise<void> {
  const permissions: Permissions = Object.assign({ contents: 'write' }, ...uses.map((use) => USES[use]));
  const name = `${owner}/${repo}`;
  // GitHub makes no token for an app that lacks one of the permissions.
  const { data } = await octokit.request('GET /repos/{owner}/{repo}', { owner, repo, request: { permissions } }).catch((error: unknown) => {
    if (!(error instanceof ForgeError) || error.name !== FORGE_ERRORS.NOT_FOUND || tokens.isApp) throw error;
    throw new ForgeError(error.name, `there is no repository ${name} for the token: check the name, and give the token access to it`, error.quote);
  });
  if (data.archived) throw new ForgeError(FORGE_ERRORS.FORBIDDEN, `the repository ${name} is archived: unarchive it, or use another one`);
  if (data.disabled) throw new ForgeError(FORGE_ERRORS.FORBIDDEN, `the repository ${name} is disabled by GitHub: its owner can ask GitHub's support`);
  // It is about the user of a token. For the tokens of apps, GitHub does not say what they can do.
  if (!tokens.isApp && data.permissions?.push === false) {
    throw new ForgeError(FORGE_ERRORS.FORBIDDEN, `the user of the token cannot push to ${name}: give the user write access, or use the token of another one`);
  }
}
