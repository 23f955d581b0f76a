import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Account } from './account';
import type { FoundRun } from './find-run';

/** A file that a run left in its bucket. */
export interface Artifact {
  /** The key without the run's prefix, such as `gates/1-test.log`. */
  readonly name: string;
  readonly writtenAt: Date;
}

/** The errors of S3 for what is not there. */
const ABSENT = ['NoSuchKey', 'NoSuchBucket', 'NotFound'];

/** The files of a run in the bucket of its loop. */
export class Artifacts {
  /** Returns the files of a run, with the loop as the run's execution has it. Returns undefined if that loop has no bucket. */
  static of(account: Account, { loop, execution }: FoundRun): Artifacts | undefined {
    const { record } = execution;
    if (record?.artifacts !== undefined) return new Artifacts(account, record.artifacts.bucket, record.artifacts.prefix);
    const place = loop.config.operate?.artifacts;
    return place && new Artifacts(account, place.bucket, `${place.prefix}${execution.name}/`);
  }

  private constructor(private readonly account: Account, private readonly bucket: string, private readonly prefix: string) {}

  get url(): string {
    return `s3://${this.bucket}/${this.prefix}`;
  }

  /** Lists the files in the order in which they were written. */
  async list(): Promise<Artifact[]> {
    const { account, bucket, prefix } = this;
    const found: Artifact[] = [];
    const arn = await account.arn(`s3:::${bucket}`);
    let token: string | undefined;
    do {
      const request = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
      const page = await account.ask({ action: 's3:ListBucket', resource: arn }, async () => account.s3.send(request));
      found.push(...(page.Contents ?? []).map(({ Key, LastModified }) => ({ name: Key!.slice(prefix.length), writtenAt: LastModified! })));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found.sort((a, b) => a.writtenAt.getTime() - b.writtenAt.getTime());
  }

  /** Returns undefined if there is no such file. */
  async text(name: string): Promise<string | undefined> {
    const { account, bucket, prefix } = this;
    const request = new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${name}` });
    try {
      const asked = { action: 's3:GetObject', resource: await account.arn(`s3:::${bucket}/${prefix}${name}`) };
      const found = await account.ask(asked, async () => account.s3.send(request), ABSENT);
      return await found.Body!.transformToString();
    } catch (error) {
      if (ABSENT.includes((error as Error).name)) return undefined;
      throw error;
    }
  }
}
