import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { AwsAction, CredentialSearch, described } from './errors';
import { checkProfile } from './profiles';
import { MisuseError } from '../common/misuse';

/** Tries of a request: those that are throttled wait up to 20 s each. */
const TRIES = 10;

/** Milliseconds: the SDK itself waits for an answer forever. */
const TIMEOUTS = { connectionTimeout: 10_000, requestTimeout: 30_000 };

/** The partitions of regions that are not of `aws`. */
const PARTITIONS = [['cn-', 'aws-cn'], ['us-gov-', 'aws-us-gov']] as const;

type Logger = NonNullable<NonNullable<ConstructorParameters<typeof SFNClient>[0]>['logger']>;

export interface AccountProps {
  readonly profile?: string;
  readonly region?: string;
}

/** An account and a region of AWS, with credentials as the AWS CLI finds them. */
export class Account {
  /** Fails if no region is named anywhere. */
  static async open({ profile, region }: AccountProps): Promise<Account> {
    const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION, AWS_DEFAULT_REGION } = process.env;
    checkProfile(profile ?? process.env.AWS_PROFILE);
    const reasons: string[] = [];
    const config = {
      region: region ?? (AWS_REGION || AWS_DEFAULT_REGION || undefined),
      // As for the AWS CLI, a variable has precedence.
      ...process.env.AWS_MAX_ATTEMPTS ? {} : { maxAttempts: TRIES },
      requestHandler: TIMEOUTS,
      logger: loggerInto(reasons),
      ...profile === undefined ? {} : { profile },
      // The AWS CLI prefers them to AWS_PROFILE, and the SDK does not.
      ...profile === undefined && key && secret ? { credentials: fromEnv() } : {},
    };
    // The clients are bundled: it is not for the user to do something about their version.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    const account = new Account(config, { profile: profile ?? process.env.AWS_PROFILE, reasons });
    try {
      return await account.sfn.config.region() === '' ? noRegion(profile) : account;
    } catch (error) {
      const { message } = error as Error;
      if (/region is missing/i.test(message)) noRegion(profile);
      throw new MisuseError(`the region must be one of AWS, such as us-east-1: ${message}`);
    }
  }

  readonly sfn: SFNClient;
  private readonly others = new Map<unknown, unknown>();

  private constructor(private readonly config: ConstructorParameters<typeof SFNClient>[0] & object, private readonly search: CredentialSearch) {
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
      throw passed.includes((error as Error).name) ? error : described(error, asked, this.search);
    }
  }

  close(): void {
    [this.sfn, ...this.others.values()].forEach((client) => (client as SFNClient).destroy());
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the configurations of the clients have no common type
  private client<T>(type: new (config: any) => T, more: object = {}): T {
    // One search for credentials: it may assume a role or start a program.
    const { credentials } = this.sfn.config;
    const made = this.others.get(type) ?? new type({ ...this.config, credentials, ...more });
    this.others.set(type, made);
    return made as T;
  }
}

/** Returns a logger that keeps why no provider had credentials. It is silent: the SDK would print warnings that are wrong here. */
function loggerInto(reasons: string[]): Logger {
  const ignore = () => undefined;
  const debug = (text: unknown) => {
    const [, reason] = /property-provider (?:->|\(!\)) (.+)/s.exec(String(text)) ?? [];
    if (reason !== undefined) reasons.push(reason.trim().replace(/\s*\n\s*/g, ': '));
  };
  return { trace: ignore, debug, info: ignore, warn: ignore, error: ignore };
}

function noRegion(profile: string | undefined): never {
  const where = profile === undefined ? '' : ` in the profile "${profile}"`;
  throw new MisuseError(`there is no region${where}: give --region, set AWS_REGION, or give the profile a region with "aws configure set region"`);
}
