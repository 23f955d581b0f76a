import { Duration, Names, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct, IConstruct } from 'constructs';
import { faultsOf, regionFaults, Rule, throwOnFaults } from '../private/validation';

/** Options for `RunArtifacts.inBucket`. */
export interface RunArtifactsOptions {
  /**
   * The prefix of the keys of all files, such as `runs/`: at most 500 bytes. The driver has permission to write to these keys only.
   *
   * Each loop of a bucket has its own prefix, because executions of two loops can have the same name: two loops with the same bucket and prefix are
   * refused.
   *
   * @default - for a bucket of your own, a name that is unique to the loop and a slash, such as `Stack-Fix-1A2B3C4D/`. For a bucket that is created,
   * no prefix: keys begin with the name of the execution
   */
  readonly prefix?: string;

  /**
   * The time after which files are deleted: 1 day or more, in whole days. Applies only to a bucket that is created.
   *
   * @default Duration.days(90) - as long as Step Functions keeps the history of an execution
   */
  readonly expiration?: Duration;

  /**
   * The key that encrypts the bucket. Applies only to a bucket that is created.
   *
   * @default - a key that Amazon S3 manages
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * The removal policy of the bucket. Applies only to a bucket that is created.
   *
   * @default RemovalPolicy.RETAIN - the files document what runs did, and CloudFormation cannot delete a bucket that is not empty
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** The files of a loop's runs. The driver writes them while a run is in progress, so that they outlive its session. */
export abstract class RunArtifacts {
  /**
   * Files in an S3 bucket.
   *
   * A bucket that is created blocks public access, requires TLS, and by default deletes files after 90 days. It is retained if the loop is removed.
   *
   * A bucket of your own can be shared by the loops of its Region. The policy of a bucket in another account must allow `s3:PutObject` to the role of
   * the driver. To import a bucket that is encrypted with a key of yours, use `Bucket.fromBucketAttributes` with `encryptionKey`. Otherwise, the
   * driver gets no permission for the key.
   *
   * @param bucket A bucket of your own. By default, a bucket is created for each loop
   * @param options Options for the files
   */
  public static inBucket(bucket?: s3.IBucket, options: RunArtifactsOptions = {}): RunArtifacts {
    return new BucketArtifacts(bucket, options);
  }

  /**
   * Returns the bucket of a loop that these files were bound to.
   *
   * @internal
   */
  public abstract _bucketOf(loop: IConstruct): s3.IBucket;

  /** @internal */
  public abstract _bind(scope: Construct): { readonly bucket: s3.IBucket; readonly prefix: string };
}

/** The maximum length of a prefix: a key has 1,024 bytes, and the names of executions and files take up to 500. */
const PREFIX_LENGTH = 500;

const isWholeDays = (days: number) => Number.isInteger(days) && days >= 1;

type Given = RunArtifactsOptions & { readonly bucket?: s3.IBucket };

const RULES: readonly Rule<Given>[] = [
  {
    broken: ({ prefix = '' }) => !Token.isUnresolved(prefix) && Buffer.byteLength(prefix) > PREFIX_LENGTH,
    message: ({ prefix = '' }) => `"prefix" must have at most ${PREFIX_LENGTH} bytes, not ${Buffer.byteLength(prefix)}: shorten it`,
  },
  {
    broken: ({ prefix = '' }) => !Token.isUnresolved(prefix) && /^\/|\/\/|[*?]|\$\{|(?:^|\/)\.\.?(?:\/|$)|\p{Cc}/u.test(prefix),
    message: ({ prefix }) => `"prefix" must be a path in the bucket without "*", "?", "\${" and empty parts, not "${prefix}": write it like "runs/"`,
  },
  {
    broken: ({ expiration }) => expiration !== undefined && !expiration.isUnresolved() && !isWholeDays(expiration.toDays({ integral: false })),
    message: ({ expiration }) => `"expiration" must be a whole number of days from 1, not ${expiration!.toDays({ integral: false })}: change it`,
  },
  ...(['expiration', 'encryptionKey', 'removalPolicy'] as const).map((prop): Rule<Given> => ({
    broken: ({ bucket, [prop]: value }) => bucket !== undefined && value !== undefined,
    message: () => `"${prop}" must be left out for a bucket of your own: set it on the bucket`,
  })),
];

/** The ID of a bucket that is created, in its loop. */
const BUCKET_ID = 'Artifacts';

class BucketArtifacts extends RunArtifacts {
  constructor(private readonly bucket: s3.IBucket | undefined, private readonly options: RunArtifactsOptions) {
    super();
  }

  public _bucketOf(loop: IConstruct): s3.IBucket {
    return this.bucket ?? loop.node.findChild(BUCKET_ID) as s3.Bucket;
  }

  public _bind(scope: Construct): { readonly bucket: s3.IBucket; readonly prefix: string } {
    const { expiration = Duration.days(90), encryptionKey, removalPolicy = RemovalPolicy.RETAIN } = this.options;
    // The driver signs requests for its own Region.
    throwOnFaults(scope, [...faultsOf({ ...this.options, bucket: this.bucket }, RULES), ...regionFaults('bucket', this.bucket, scope)]);
    if (this.bucket !== undefined) return { bucket: this.bucket, prefix: prefixIn(this.bucket, scope, this.options) };
    const bucket = new s3.Bucket(scope, BUCKET_ID, {
      encryption: encryptionKey === undefined ? s3.BucketEncryption.S3_MANAGED : s3.BucketEncryption.KMS,
      encryptionKey,
      // Without a bucket key, S3 sends a request to KMS for each file.
      ...(encryptionKey === undefined ? {} : { bucketKeyEnabled: true }),
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [{ expiration }],
      removalPolicy,
    });
    return { bucket, prefix: this.options.prefix ?? '' };
  }
}

/** The loops that write to the buckets of an app, by bucket and prefix. */
const PLACES = new WeakMap<IConstruct, Map<string, string>>();

/** Returns the prefix of a loop in a bucket of the user's. Fails if another loop of the app has the same place. */
function prefixIn(bucket: s3.IBucket, scope: Construct, { prefix }: RunArtifactsOptions): string {
  if (prefix === undefined) return `${Names.uniqueResourceName(scope, { separator: '-', maxLength: 100 })}/`;
  const places = PLACES.get(scope.node.root) ?? new Map<string, string>();
  const place = JSON.stringify([
    Token.isUnresolved(bucket.bucketName) ? bucket.node.path : bucket.bucketName,
    prefix,
    // One token can have other values in other stacks.
    Token.isUnresolved(prefix) ? Stack.of(scope).node.path : '',
  ]);
  const other = places.get(place);
  throwOnFaults(scope, other === undefined ? [] : [
    `"prefix" must not be "${prefix}", which "${other}" has in the same bucket, since their runs could overwrite each other's files: change it, or leave it out`,
  ]);
  PLACES.set(scope.node.root, places.set(place, scope.node.path));
  return prefix;
}
