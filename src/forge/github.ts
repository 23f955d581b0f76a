import { Token } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ForgeConfig } from './constants';
import { Forge, ForgeOptions, TokenForgeOptions, withoutGaps } from './forge';
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
export abstract class GitHub extends Forge {
  /**
   * Uses a token, such as a fine-grained personal access token with the permissions `contents: write` and `pull_requests: write`.
   *
   * @param secret The secret with the token
   * @param options Options for the token
   */
  public static token(secret: secretsmanager.ISecret, options: GitHubTokenOptions = {}): GitHub {
    return new TokenOfSecret(secret, options);
  }

  /** @internal */
  public readonly _proposes = true;

  /** The URL of the REST API. @internal */
  public abstract get _baseUrl(): string | undefined;

  /** The scheme and the host of the repositories. @internal */
  public get _host(): string {
    // A rule refuses a URL without an origin.
    const [origin] = /^https:\/\/[^/]+/.exec(this._baseUrl ?? '') ?? ['https://github.com'];
    return origin.replace('//api.', '//');
  }

  /** @internal */
  public _faults(): string[] {
    return [...super._faults(), ...faultsOf(this._facts(), GITHUB_RULES).map((fault) => `forge: ${fault}`)];
  }

  /** @internal */
  protected abstract _facts(): GitHubFacts;
}

/**
 * A GitHub App, which the owner of the repository has installed.
 *
 * The app needs the repository permissions `contents: write`, `pull_requests: write`, `checks: write` and `issues: write`. The publisher makes a
 * token for each step, for one repository, with the permissions of the step only.
 */
export abstract class GitHubApp extends GitHub {
  /**
   * Uses an app whose private key is in a secret.
   *
   * @param secret The secret with the private key in PEM, as GitHub generates it
   * @param options The app, and options for the forge
   */
  public static fromSecret(secret: secretsmanager.ISecret, options: GitHubAppOptions): GitHubApp {
    return new AppOfSecret(secret, options);
  }
}

class TokenOfSecret extends GitHub {
  constructor(private readonly secret: secretsmanager.ISecret, public readonly _options: GitHubTokenOptions) {
    super();
  }

  public get _reads(): boolean {
    return this._options.readSecret !== undefined;
  }

  public get _baseUrl(): string | undefined {
    return this._options.baseUrl;
  }

  public get _secrets(): secretsmanager.ISecret[] {
    return [this.secret, ...this._options.readSecret === undefined ? [] : [this._options.readSecret]];
  }

  public _config(): ForgeConfig {
    const { baseUrl, readSecret } = this._options;
    return { kind: 'github', secretArn: this.secret.secretArn, ...withoutGaps({ baseUrl, readSecretArn: readSecret?.secretArn }) };
  }

  protected _facts(): GitHubFacts {
    return this._options;
  }
}

class AppOfSecret extends GitHubApp {
  public readonly _signs = true;

  public readonly _reads = true;

  constructor(private readonly secret: secretsmanager.ISecret, public readonly _options: GitHubAppOptions) {
    super();
  }

  public get _baseUrl(): string | undefined {
    return this._options.baseUrl;
  }

  public get _secrets(): secretsmanager.ISecret[] {
    return [this.secret];
  }

  public _config(): ForgeConfig {
    const { baseUrl, appId, installationId } = this._options;
    return { kind: 'github', secretArn: this.secret.secretArn, app: { appId, ...withoutGaps({ installationId }) }, ...withoutGaps({ baseUrl }) };
  }

  protected _facts(): GitHubFacts {
    return this._options;
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
    // The URL of the repository is made of it.
    broken: ({ baseUrl }) => baseUrl !== undefined && !/^https:\/\/[a-z0-9.-]+(?::\d+)?(?:\/[\w/-]*\w)?$/.test(baseUrl),
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
