import { Token } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ForgeConfig } from './constants';
import { Forge, ForgeOptions, TokenForgeOptions } from './forge';
import { faultsOf, Rule } from '../private/validation';

/** Options for `GitHub.token`. */
export interface GitHubTokenOptions extends TokenForgeOptions {
  /**
   * The URL of the REST API, such as `https://ghe.example.com/api/v3` for GitHub Enterprise Server.
   *
   * @default 'https://api.github.com'
   */
  readonly baseUrl?: string;
}

/** Options for `GitHubApp.fromSecret`. */
export interface GitHubAppOptions extends ForgeOptions {
  /** The ID of the app, or its client ID. Both are on the settings page of the app. */
  readonly appId: string;

  /**
   * The ID of the app's installation for the owner of the repository.
   *
   * @default - the publisher looks it up by the repository
   */
  readonly installationId?: string;

  /**
   * The URL of the REST API, such as `https://ghe.example.com/api/v3` for GitHub Enterprise Server.
   *
   * @default 'https://api.github.com'
   */
  readonly baseUrl?: string;
}

/** GitHub, with a token. An app is better: its tokens are for one repository, and live for an hour. */
export class GitHub extends Forge {
  /**
   * Uses a token, such as a fine-grained personal access token with the permissions `contents: write` and `pull_requests: write`.
   *
   * @param secret The secret with the token
   * @param options Options for the token
   */
  public static token(secret: secretsmanager.ISecret, options: GitHubTokenOptions = {}): GitHub {
    const { readSecret } = options;
    return new GitHub(secret, options, readSecret === undefined ? {} : { readSecretArn: readSecret.secretArn }, readSecret);
  }

  /** @internal */
  public readonly _proposes = true;

  /** @internal */
  protected constructor(
    private readonly secret: secretsmanager.ISecret,
    /** @internal */
    public readonly _options: ForgeOptions & { readonly baseUrl?: string },
    private readonly access: Partial<ForgeConfig & { readonly kind: 'github' }>,
    private readonly readSecret?: secretsmanager.ISecret,
  ) {
    super();
  }

  /** @internal */
  public get _secrets(): secretsmanager.ISecret[] {
    return [this.secret, ...this.readSecret === undefined ? [] : [this.readSecret]];
  }

  /** @internal */
  public get _reads(): boolean {
    return this.access.app !== undefined || this.readSecret !== undefined;
  }

  /** The scheme and the host of the repositories. @internal */
  public get _host(): string {
    const { baseUrl } = this._options;
    return baseUrl === undefined ? 'https://github.com' : new URL(baseUrl).origin.replace('//api.', '//');
  }

  /** @internal */
  public _config(): ForgeConfig {
    const { baseUrl } = this._options;
    return { kind: 'github', secretArn: this.secret.secretArn, ...(baseUrl === undefined ? {} : { baseUrl }), ...this.access };
  }

  /** @internal */
  public _faults(): string[] {
    const { app } = this.access;
    return [...super._faults(), ...faultsOf({ ...this._options, ...app }, GITHUB_RULES).map((fault) => `forge: ${fault}`)];
  }
}

/**
 * A GitHub App, which the owner of the repository has installed.
 *
 * The app needs the repository permissions `contents: write`, `pull_requests: write`, `checks: write` and `issues: write`. The publisher makes a
 * token for each step, for one repository, with the permissions of the step only.
 */
export class GitHubApp extends GitHub {
  /**
   * Uses an app whose private key is in a secret.
   *
   * @param secret The secret with the private key in PEM, as GitHub generates it
   * @param options The app, and options for the forge
   */
  public static fromSecret(secret: secretsmanager.ISecret, options: GitHubAppOptions): GitHubApp {
    const { appId, installationId } = options;
    return new GitHubApp(secret, options, { app: { appId, ...(installationId === undefined ? {} : { installationId }) } });
  }
}

interface GitHubFacts {
  readonly baseUrl?: string;
  readonly appId?: string;
  readonly installationId?: string;
}

const known = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);

const GITHUB_RULES: readonly Rule<GitHubFacts>[] = [
  {
    broken: ({ baseUrl }) => known(baseUrl) && !/^https:\/\/[a-z0-9.-]+(?::\d+)?(?:\/[\w/-]*\w)?$/.test(baseUrl),
    message: ({ baseUrl }) => `"baseUrl" must be the https URL of the REST API without a trailing slash, not "${baseUrl}": write it like "https://ghe.example.com/api/v3"`,
  },
  {
    broken: ({ appId }) => known(appId) && !/^[A-Za-z0-9.]{1,50}$/.test(appId),
    message: ({ appId }) => `"appId" must be the ID or the client ID of the app, not "${appId}": copy it from the settings page of the app`,
  },
  {
    broken: ({ installationId }) => known(installationId) && !/^\d{1,15}$/.test(installationId),
    message: ({ installationId }) => `"installationId" must be a number, not "${installationId}": it is at the end of the URL of the installation's page`,
  },
];
