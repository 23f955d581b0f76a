import { GitLabApi } from './api';
import { checkProject } from './check';
import { writeComment } from './comment';
import { makeMergeRequest } from './merge-request';
import { GitLabConfig, placeOf } from './place';
import { reportStatuses } from './report';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { basicAuthorization, ReadSecret } from '../basic';
import { ForgeClient } from '../forge-client';
import { ForgeError } from '../smart-http';

export interface GitLabClientOptions {
  /** Reads the value of a secret. */
  readonly readSecret: ReadSecret;
  /** The origin of a forge on this machine that stands for GitLab, such as `http://127.0.0.1:8080`. */
  readonly localOrigin?: string;
  readonly clock: Clock;
}

/** The name under which git sends a token to GitLab. */
const TOKEN_USER = 'oauth2';

/** Returns the client of a repository at GitLab.com, or at an instance of one's own. */
export function gitLabClient(config: GitLabConfig, repositoryUrl: string, { readSecret, localOrigin, clock }: GitLabClientOptions): ForgeClient {
  const place = placeOf(config, repositoryUrl, localOrigin);
  const tokenOf = async (arn: string) => {
    const token = (await readSecret(arn)).trim();
    if (!/^[!-~]+$/.test(token)) throw new ForgeError(FORGE_ERRORS.UNAUTHORIZED, 'the secret must have the token, and nothing else');
    return token;
  };
  const api = new GitLabApi(place, async () => tokenOf(config.secretArn), clock);
  return {
    pushAuthorization: async () => basicAuthorization({ username: TOKEN_USER, password: await tokenOf(config.secretArn) }),
    async fetchCredential() {
      const { readSecretArn } = config;
      return readSecretArn === undefined ? undefined : { username: TOKEN_USER, password: await tokenOf(readSecretArn) };
    },
    check: async (uses = []) => checkProject(api, uses),
    pullRequest: async (content) => makeMergeRequest(api, content, clock),
    report: async (commit, gates) => reportStatuses(api, commit, gates, clock),
    comment: async (issue, marker, body) => writeComment(api, issue, marker, body, clock),
  };
}
