import { CallOptions, Permissions, Tokens } from './api';
import { loadAppAuth, Octokit } from './octokit';
import { GitHubApp, GitHubConfig, Place } from './place';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { ReadSecret } from '../basic';
import { Credential } from '../forge-client';
import { ForgeError } from '../smart-http';

/** The tokens of a client, and the ways in which git uses them. */
export interface GitHubTokens extends Tokens {
  /** Determines whether the tokens are those of an app. */
  readonly isApp: boolean;
  token(permissions: Permissions): Promise<string>;
  /** Returns a credential that can only read; undefined if there is none. */
  fetchCredential(): Promise<Credential | undefined>;
}

/** The name under which git sends a token to GitHub. */
export const TOKEN_USER = 'x-access-token';

interface Minted {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** The tokens of apps by their API, app, repository and permissions. It outlives a client, so that a warm function uses them again. */
const minted = new Map<string, Promise<Minted>>();

/** The life that a token must still have, in milliseconds. GitHub makes tokens for an hour; a push or a clone takes minutes. */
const LEAST_LIFE = 10 * 60_000;

/** Returns the tokens of a client. @param connect returns the Octokit that makes tokens of an app */
export function tokensOf(
  config: GitHubConfig, place: Place, readSecret: ReadSecret, connect: (tokens: Tokens) => Octokit, clock: Clock,
): GitHubTokens {
  const secrets = new Set<string>();
  const secretOf = async (arn: string) => {
    const secret = (await readSecret(arn)).trim();
    if (secret === '') throw new ForgeError(FORGE_ERRORS.UNAUTHORIZED, 'the secret is empty: put the token, or the private key of the app, into it');
    secrets.add(secret);
    return secret;
  };
  const common = {
    authorization: async (permissions: Permissions) => `token ${await tokens.token(permissions)}`,
    withoutSecrets: (text: string) => [...secrets].reduce((masked, secret) => masked.replaceAll(secret, '***'), text),
  };
  const tokens: GitHubTokens = config.app === undefined ? ofUser() : ofApp(config.app);
  return tokens;

  function ofUser(): GitHubTokens {
    return {
      ...common,
      isApp: false,
      async token() {
        const token = await secretOf(config.secretArn);
        if (/[^!-~]/.test(token)) throw new ForgeError(FORGE_ERRORS.UNAUTHORIZED, 'the secret must have the token, and nothing else');
        return token;
      },
      renew: () => false,
      async fetchCredential() {
        const { readSecretArn } = config;
        return readSecretArn === undefined ? undefined : { username: TOKEN_USER, password: await secretOf(readSecretArn) };
      },
    };
  }

  function ofApp(app: GitHubApp): GitHubTokens {
    const keyOf = (permissions: Permissions) => JSON.stringify([
      place.api, app.appId, app.installationId, config.secretArn, `${place.owner}/${place.repo}`.toLowerCase(), Object.entries(permissions).sort(),
    ]);
    const made = (permissions: Permissions): Promise<Minted> => {
      const promise = installationToken(app, permissions);
      minted.set(keyOf(permissions), promise);
      promise.catch(() => {
        if (minted.get(keyOf(permissions)) === promise) minted.delete(keyOf(permissions));
      });
      return promise;
    };
    return {
      ...common,
      isApp: true,
      async token(permissions) {
        const known = await minted.get(keyOf(permissions));
        const { token } = known !== undefined && known.expires - clock.now() >= LEAST_LIFE ? known : await made(permissions);
        secrets.add(token);
        return token;
      },
      renew: (permissions) => {
        minted.delete(keyOf(permissions));
        return true;
      },
      fetchCredential: async () => ({ username: TOKEN_USER, password: await tokens.token({ contents: 'read' }) }),
    };
  }

  async function installationToken(app: GitHubApp, permissions: Permissions): Promise<Minted> {
    const privateKey = await secretOf(config.secretArn);
    const octokit = connect(tokens);
    const { createAppAuth } = loadAppAuth();
    const request = octokit.request.defaults({ request: { isRepeatable: true } satisfies CallOptions });
    const auth = createAppAuth({ appId: app.appId, privateKey, request });
    const { token: jwt } = await auth({ type: 'app' }).catch(() => {
      // Its error may quote the key.
      throw new ForgeError(FORGE_ERRORS.UNAUTHORIZED, 'the secret must have the private key of the app, as GitHub gives it (PEM)');
    });
    secrets.add(jwt);
    const installationId = app.installationId ?? (await octokit.request('GET /repos/{owner}/{repo}/installation', {
      owner: place.owner, repo: place.repo, headers: { authorization: `bearer ${jwt}` },
    }).catch(explained(app, permissions))).data.id;
    // Our own cache knows when a token ends, and `refresh` bypasses that of the package.
    const { token, expiresAt } = await auth({
      type: 'installation', installationId, repositoryNames: [place.repo], permissions: { ...permissions }, refresh: true,
    }).catch(explained(app, permissions));
    return { token, expires: Date.parse(expiresAt) };
  }

  /** Returns a function that says what to change where GitHub refuses to make a token. */
  function explained({ appId }: GitHubApp, permissions: Permissions) {
    return (error: unknown): never => {
      if (!(error instanceof ForgeError)) throw error;
      const repository = `${place.owner}/${place.repo}`;
      const { name, quote } = error;
      if (name === FORGE_ERRORS.UNAUTHORIZED) throw new ForgeError(name, `GitHub does not accept the private key for app ${appId}: check the ID and the secret`, quote);
      if (name === FORGE_ERRORS.NOT_FOUND || /repository that does not exist or is not accessible/.test(quote)) {
        throw new ForgeError(FORGE_ERRORS.NOT_FOUND, `app ${appId} is not installed for ${repository}: install it there, and use the present name of the repository`, quote);
      }
      if (name === FORGE_ERRORS.REFUSED) {
        const wanted = Object.entries(permissions).map(([permission, access]) => `${permission}: ${access}`).join(', ');
        throw new ForgeError(FORGE_ERRORS.FORBIDDEN, `app ${appId} lacks a permission for ${repository}: grant it ${wanted}, and accept that for the installation`, quote);
      }
      throw error;
    };
  }
}
