import { connected, Permissions } from './api';
import { checkRepository } from './check';
import { writeComment } from './comment';
import { GitHubConfig, placeOf } from './place';
import { makePullRequest } from './pull-request';
import { reportCheckRuns, reportStatuses } from './report';
import { makeSignedCommit } from './signed-commit';
import { TOKEN_USER, tokensOf } from './tokens';
import { Clock } from '../../../handler/clock';
import { basicAuthorization, ReadSecret } from '../basic';
import { ForgeClient } from '../forge-client';

export interface GitHubClientOptions {
  /** Reads the value of a secret. */
  readonly readSecret: ReadSecret;
  /** The origin of a forge on this machine that stands for GitHub, such as `http://127.0.0.1:8080`. */
  readonly localOrigin?: string;
  readonly clock: Clock;
}

/** Returns the client of a repository at GitHub, or at GitHub Enterprise. */
export function gitHubClient(config: GitHubConfig, repositoryUrl: string, { readSecret, localOrigin, clock }: GitHubClientOptions): ForgeClient {
  const place = placeOf(config, repositoryUrl, localOrigin);
  const tokens = tokensOf(config, place, readSecret, (of) => connected(place, of, clock), clock);
  const octokit = connected(place, tokens, clock);
  const { app } = config;
  /** Makes another token if GitHub does not know the present one any more, such as after the app was suspended for a while. */
  const tried = async (permissions: Permissions) => {
    if (tokens.isApp) await octokit.request('GET /repos/{owner}/{repo}', { owner: place.owner, repo: place.repo, request: { permissions } });
  };
  return {
    async pushAuthorization(wasRefused = false) {
      if (wasRefused) await tried({ contents: 'write' });
      return basicAuthorization({ username: TOKEN_USER, password: await tokens.token({ contents: 'write' }) });
    },
    async fetchCredential() {
      // A session could not say in time that the token was refused.
      await tried({ contents: 'read' });
      return tokens.fetchCredential();
    },
    check: async (uses = []) => checkRepository(octokit, place, tokens, uses),
    pullRequest: async (content) => makePullRequest(octokit, place, content, clock),
    report: async (commit, gates) => (app === undefined
      ? reportStatuses(octokit, place, commit, gates)
      : reportCheckRuns(octokit, place, app, commit, gates, clock)),
    comment: async (issue, marker, body) => writeComment(octokit, place, app, { issue, marker, body }, clock),
    // GitHub signs the commits of apps only.
    ...app === undefined ? {} : { signedCommit: async (content) => makeSignedCommit(octokit, place, content) },
  };
}
