import { Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ForgeConfig } from './constants';
import { faultsOf, Rule } from '../private/validation';

/** The maximum size of a CA bundle, in bytes: Lambda allows 4 KB for all environment variables ("Lambda quotas"). */
const CA_BUNDLE_BYTES = 3_000;

/** Options for every forge. */
export interface ForgeOptions {
  /**
   * The VPC of the function that publishes, for a forge that is reached through a private network.
   *
   * The function also needs Secrets Manager, Amazon Bedrock AgentCore and CloudWatch Logs, through a NAT gateway or interface endpoints.
   *
   * @default - no VPC
   */
  readonly vpc?: ec2.IVpc;

  /**
   * The subnets of the function. It needs a `vpc`.
   *
   * @default - the private subnets of the VPC
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The security groups of the function. They need a `vpc`.
   *
   * @default - a new security group that allows all outbound traffic
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * Certificates of authorities that the function trusts in addition to the public ones, in PEM, at most 3,000 bytes. Sessions need them in the
   * image as well, since they clone from the forge.
   *
   * @default - public certificate authorities only
   */
  readonly caBundle?: string;

  /**
   * The retention period of the function's logs. They contain neither prompts nor credentials.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;
}

/** Options for forges whose credential is a token or a password. */
export interface TokenForgeOptions extends ForgeOptions {
  /**
   * The secret with a token that can only read. Sessions clone and fetch with it: each command gets it encrypted, for the length of the command.
   *
   * The token must not be able to write, and should be able to read this repository only: the agent's session holds it while it fetches.
   *
   * @default - sessions clone without a credential, or with one of the image
   */
  readonly readSecret?: secretsmanager.ISecret;
}

/** Options for `Forge.basic`. */
export interface BasicForgeOptions extends TokenForgeOptions {
  /**
   * The name of the user, unless the secret has one.
   *
   * @default 'git' - hosts that take a token as the password accept any user
   */
  readonly username?: string;
}

/**
 * The place where a repository lives, and the credential for it.
 *
 * A function of the loop, the publisher, holds the credential. It makes the commit of a verified change and pushes it. Sessions never have a
 * credential that can write. Without a forge, sessions push with a credential of their own, which the agent can use, too.
 */
export abstract class Forge {
  /**
   * Uses any remote that is reached by HTTPS with a user and a password, such as Bitbucket, Gitea or AWS CodeCommit. It has no pull requests.
   *
   * @param secret The secret with the password, or a token. A secret in JSON must have `password`, and may have `username`
   * @param options Options for the forge
   */
  public static basic(secret: secretsmanager.ISecret, options: BasicForgeOptions = {}): Forge {
    return new BasicForge(secret, options);
  }

  /** Options for the publisher. @internal */
  public abstract readonly _options: ForgeOptions;

  /** The secrets that the publisher reads. @internal */
  public abstract readonly _secrets: secretsmanager.ISecret[];

  /** Determines whether sessions get a token to read with. @internal */
  public abstract readonly _reads: boolean;

  /** Determines whether the forge can make and sign commits. @internal */
  public readonly _signs: boolean = false;

  /** Determines whether the forge has pull requests. @internal */
  public readonly _proposes: boolean = false;

  /** The configuration of the publisher. @internal */
  public abstract _config(): ForgeConfig;

  /** @internal */
  public _faults(): string[] {
    return faultsOf(this._options, FORGE_RULES).map((fault) => `forge: ${fault}`);
  }
}

class BasicForge extends Forge {
  constructor(private readonly secret: secretsmanager.ISecret, public readonly _options: BasicForgeOptions) {
    super();
  }

  public get _secrets(): secretsmanager.ISecret[] {
    return [this.secret, ...this._options.readSecret === undefined ? [] : [this._options.readSecret]];
  }

  public get _reads(): boolean {
    return this._options.readSecret !== undefined;
  }

  public _config(): ForgeConfig {
    const { username, readSecret } = this._options;
    return { kind: 'basic', secretArn: this.secret.secretArn, ...withoutGaps({ username, readSecretArn: readSecret?.secretArn }) };
  }
}

/** Returns an object without the properties that have no value. @internal */
export function withoutGaps<T extends object>(properties: T): Partial<T> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const FORGE_RULES: readonly Rule<ForgeOptions>[] = [
  {
    broken: ({ vpc, vpcSubnets, securityGroups }) => vpc === undefined && (vpcSubnets !== undefined || securityGroups !== undefined),
    message: () => '"vpcSubnets" and "securityGroups" must come with "vpc": name the VPC, or leave them out',
  },
  {
    broken: ({ caBundle }) => caBundle !== undefined && !Token.isUnresolved(caBundle) && !/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.test(caBundle),
    message: () => '"caBundle" must have certificates in PEM: begin each with "-----BEGIN CERTIFICATE-----"',
  },
  {
    broken: ({ caBundle }) => caBundle !== undefined && !Token.isUnresolved(caBundle) && Buffer.byteLength(caBundle) > CA_BUNDLE_BYTES,
    message: ({ caBundle }) => `"caBundle" must have at most ${CA_BUNDLE_BYTES} bytes, not ${Buffer.byteLength(caBundle!)}: keep the certificate of the authority that the forge uses`,
  },
];
