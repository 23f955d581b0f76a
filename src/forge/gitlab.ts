import { Token } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ForgeConfig } from './constants';
import { Forge, TokenForgeOptions, withoutGaps } from './forge';
import { faultsOf, Rule } from '../private/validation';

/** Options for `GitLab.token`. */
export interface GitLabOptions extends TokenForgeOptions {
  /**
   * The URL of the GitLab instance.
   *
   * @default 'https://gitlab.com'
   */
  readonly baseUrl?: string;
}

/** GitLab, with a project access token. Its merge requests take the place of pull requests. */
export abstract class GitLab extends Forge {
  /**
   * Uses a project access token, with the role Developer and the scopes `api` and `write_repository`.
   *
   * @param secret The secret with the token
   * @param options Options for the token. `readSecret` is a project access token with the scope `read_repository`
   */
  public static token(secret: secretsmanager.ISecret, options: GitLabOptions = {}): GitLab {
    return new TokenOfSecret(secret, options);
  }

  /** @internal */
  public readonly _proposes = true;

  /** @internal */
  public abstract readonly _options: GitLabOptions;

  /** @internal */
  public _faults(): string[] {
    return [...super._faults(), ...faultsOf(this._options, GITLAB_RULES).map((fault) => `forge: ${fault}`)];
  }
}

class TokenOfSecret extends GitLab {
  constructor(private readonly secret: secretsmanager.ISecret, public readonly _options: GitLabOptions) {
    super();
  }

  public get _reads(): boolean {
    return this._options.readSecret !== undefined;
  }

  public get _secrets(): secretsmanager.ISecret[] {
    return [this.secret, ...this._options.readSecret === undefined ? [] : [this._options.readSecret]];
  }

  public _config(): ForgeConfig {
    const { baseUrl, readSecret } = this._options;
    return { kind: 'gitlab', secretArn: this.secret.secretArn, ...withoutGaps({ baseUrl, readSecretArn: readSecret?.secretArn }) };
  }
}

const GITLAB_RULES: readonly Rule<GitLabOptions>[] = [
  {
    broken: ({ baseUrl }) => baseUrl !== undefined && !Token.isUnresolved(baseUrl) && !/^https:\/\/[a-z0-9.-]+(?::\d+)?(?:\/[\w/-]*\w)?$/.test(baseUrl),
    message: ({ baseUrl }) => `"baseUrl" must be the https URL of the GitLab instance without a trailing slash, not "${baseUrl}": write it like "https://gitlab.example.com"`,
  },
];
