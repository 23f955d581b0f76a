import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { AwsAction, described } from './errors';
import { MisuseError } from '../common/misuse';

/** Tries of a request: those that are throttled wait up to 20 s each. */
const TRIES = 10;

/** Milliseconds: the SDK itself waits for an answer forever. */
const TIMEOUTS = { connectionTimeout: 10_000, requestTimeout: 30_000 };

/** The partitions of regions that are not of `aws`. */
const PARTITIONS = [['cn-', 'aws-cn'], ['us-gov-', 'aws-us-gov']] as const;

export interface AccountProps {
  readonly profile?: string;
  readonly region?: string;
}

/** An account and a region of AWS, with credentials as the AWS CLI finds them. */
export class Account {
  /** Fails if no region is named anywhere. */
  static async open({ profile, region }: AccountProps): Promise<Account> {
    const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION, AWS_DEFAULT_REGION } = process.env;
    const config = {
      region: region ?? (AWS_REGION || AWS_DEFAULT_REGION || undefined),
      // As for the AWS CLI, a variable has precedence.
      ...process.env.AWS_MAX_ATTEMPTS ? {} : { maxAttempts: TRIES },
      requestHandler: TIMEOUTS,
      ...profile === undefined ? {} : { profile },
      // The AWS CLI prefers them to AWS_PROFILE, and the SDK does not.
      ...profile === undefined && key && secret ? { credentials: fromEnv() } : {},
    };
    // The clients are bundled: it is not for the user to do something about their version.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    const account = new Account(config);
    try {
      return await account.sfn.config.region() === '' ? noRegion(profile) : account;
    } catch (error) {
      if (/region is missing/i.test((error as Error).message)) noRegion(profile);
      throw described(error, { action: 'the configuration', resource: 'region' });
    }
  }

  readonly sfn: SFNClient;
  private readonly others = new Map<unknown, unknown>();

  private constructor(private readonly config: ConstructorParameters<typeof SFNClient>[0] & object) {
    this.sfn = new SFNClient(config);
  }

  get cloudFormation(): CloudFormationClient {
    return this.client(CloudFormationClient);
  }

  get s3(): S3Client {
    // Emulators have no host names for buckets.
    return this.client(S3Client, process.env.AWS_ENDPOINT_URL ?? process.env.AWS_ENDPOINT_URL_S3 ? { forcePathStyle: true } : {});
  }

  get ssm(): SSMClient {
    return this.client(SSMClient);
  }

  /** The client for sessions. It does not retry: who stops a session does, and knows more. */
  get sessions(): BedrockAgentCoreClient {
    return this.client(BedrockAgentCoreClient, { maxAttempts: 1 });
  }

  async region(): Promise<string> {
    return this.sfn.config.region();
  }

  /** Returns an ARN with the partition of the region, for what a policy allows. */
  async arn(rest: string): Promise<string> {
    const region = await this.region();
    const partition = PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
    return `arn:${partition}:${rest.replace('REGION', region)}`;
  }

  /** Sends a request; an error says which permission is missing, or what else to do. */
  async ask<T>(asked: AwsAction, send: () => Promise<T>, passed: readonly string[] = []): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw passed.includes((error as Error).name) ? error : described(error, asked);
    }
  }

  close(): void {
    [this.sfn, ...this.others.values()].forEach((client) => (client as SFNClient).destroy());
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the configurations of the clients have no common type
  private client<T>(type: new (config: any) => T, more: object = {}): T {
    const made = this.others.get(type) ?? new type({ ...this.config, ...more });
    this.others.set(type, made);
    return made as T;
  }
}

function noRegion(profile: string | undefined): never {
  const where = profile === undefined ? '' : ` in the profile "${profile}", or there is no such profile ("aws configure list-profiles" lists them)`;
  throw new MisuseError(`there is no region${where}: give --region, set AWS_REGION, or give the profile a region with "aws configure set region"`);
}
