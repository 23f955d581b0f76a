import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ForgeConfig } from './constants';
import { Forge, TokenForgeOptions } from './forge';

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
export class GitLab extends Forge {
  /**
   * Uses a project access token, with the role Developer and the scopes `api` and `write_repository`.
   *
   * @param secret The secret with the token
   * @param options Options for the token. `readSecret` is a project access token with the scope `read_repository`
   */
  public static token(secret: secretsmanager.ISecret, options: GitLabOptions = {}): GitLab {
    return new GitLab(secret, options);
  }

  /** @internal */
  public readonly _proposes = true;

  private constructor(
    private readonly secret: secretsmanager.ISecret,
    /** @internal */
    public readonly _options: GitLabOptions,
  ) {
    super();
  }

  /** @internal */
  public get _secrets(): secretsmanager.ISecret[] {
    return [this.secret, ...this._options.readSecret === undefined ? [] : [this._options.readSecret]];
  }

  /** @internal */
  public get _reads(): boolean {
    return this._options.readSecret !== undefined;
  }

  /** @internal */
  public _config(): ForgeConfig {
    const { baseUrl, readSecret } = this._options;
    return {
      kind: 'gitlab',
      secretArn: this.secret.secretArn,
      ...(baseUrl === undefined ? {} : { baseUrl }),
      ...(readSecret === undefined ? {} : { readSecretArn: readSecret.secretArn }),
    };
  }
}
