import { createHash, randomUUID } from 'node:crypto';
import * as zlib from 'node:zlib';
import type { AwsReply, AwsRequest, RefusalOf } from './request';
import { serviceOf, signatureFault } from './signature';
import { KeyNotStorableError, StoredFiles } from './stored-files';
import type { SynthesizedStack, TemplateValues } from '../assembly';

export interface ObjectStoreProps {
  readonly stack: SynthesizedStack;
  readonly values: TemplateValues;
  readonly region: string;
  /** Directory for the objects. */
  readonly directory: string;
}

/** The secret access key of functions in a rehearsal. */
const SECRET = 'local';

/** Limits of S3 (user guide, "Naming Amazon S3 objects", and `ListObjectsV2`). */
const LIMITS = { key: 1_024, page: 1_000 } as const;

interface BucketProperties {
  readonly BucketEncryption?: {
    readonly ServerSideEncryptionConfiguration?: readonly { readonly ServerSideEncryptionByDefault?: { readonly KMSMasterKeyID?: string } }[];
  };
  readonly ObjectLockConfiguration?: { readonly Rule?: { readonly DefaultRetention?: object } };
}

/** Amazon S3 with path-style addresses: `PutObject`, `GetObject`, `HeadObject` and `ListObjectsV2`. */
export class ObjectStore {
  private readonly files: StoredFiles;
  /** The content types of objects, which no file has. */
  private readonly types = new Map<string, string>();
  private resolved?: string;

  constructor(private readonly props: ObjectStoreProps) {
    this.files = new StoredFiles(props.directory);
  }

  /** Answers a request that is signed for S3. Returns `undefined` for any other request. */
  answer(request: AwsRequest, refusal: RefusalOf): AwsReply | undefined {
    if (serviceOf(request.headers?.authorization ?? '') !== 's3') return undefined;
    try {
      return this.perform(request, refusal);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return failure(error);
    }
  }

  private perform(request: AwsRequest, refusal: RefusalOf): AwsReply {
    const fault = signatureFault(request, this.props.region, SECRET);
    if (fault !== undefined) throw new S3Error(fault.status, fault.code, fault.message);
    const [path, search = ''] = request.path.split('?');
    const [, bucket = '', ...parts] = path.split('/').map(decodeURIComponent);
    const key = parts.join('/');
    const query = new URLSearchParams(search);
    if (Buffer.byteLength(key) > LIMITS.key) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
    if (request.method === 'GET' && key === '' && query.get('list-type') === '2') return this.list(bucket, query, refusal);
    if (key !== '' && request.method === 'PUT' && isPlain(query)) return this.put(bucket, key, request, refusal);
    if (key !== '' && (request.method === 'GET' || request.method === 'HEAD') && isPlain(query)) return this.get(bucket, key, request.method, refusal);
    throw new S3Error(501, 'NotImplemented', `a rehearsal does not answer ${request.method} ${request.path}`);
  }

  private put(bucket: string, key: string, { headers = {}, body }: AwsRequest, refusal: RefusalOf): AwsReply {
    allow(refusal, 's3:PutObject', `arn:aws:s3:::${bucket}/${key}`);
    this.check(bucket);
    const kms = this.kmsKeyOf(bucket);
    if (kms !== undefined) allow(refusal, 'kms:GenerateDataKey', kms);
    checkSums(headers, body, this.hasRetention(bucket));
    try {
      this.files.write(bucket, key, body);
    } catch (error) {
      if (!(error instanceof KeyNotStorableError)) throw error;
      throw new S3Error(501, 'NotImplemented', error.message);
    }
    this.types.set(`${bucket}/${key}`, headers['content-type'] ?? 'binary/octet-stream');
    return { status: 200, headers: { 'etag': etagOf(body), 'x-amz-request-id': randomUUID(), 'x-amz-server-side-encryption': kms === undefined ? 'AES256' : 'aws:kms' } };
  }

  private get(bucket: string, key: string, method: string, refusal: RefusalOf): AwsReply {
    allow(refusal, 's3:GetObject', `arn:aws:s3:::${bucket}/${key}`);
    this.check(bucket);
    const found = this.files.read(bucket, key);
    if (found === undefined) {
      // Without s3:ListBucket, S3 answers AccessDenied for a key that does not exist.
      allow(refusal, 's3:ListBucket', `arn:aws:s3:::${bucket}`);
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', method === 'HEAD');
    }
    const kms = this.kmsKeyOf(bucket);
    if (kms !== undefined) allow(refusal, 'kms:Decrypt', kms);
    const headers = {
      'content-type': this.types.get(`${bucket}/${key}`) ?? 'binary/octet-stream',
      'content-length': `${found.body.length}`,
      'etag': etagOf(found.body),
      'last-modified': found.modifiedAt.toUTCString(),
      'x-amz-request-id': randomUUID(),
    };
    return { status: 200, headers, bytes: method === 'HEAD' ? Buffer.alloc(0) : found.body };
  }

  private list(bucket: string, query: URLSearchParams, refusal: RefusalOf): AwsReply {
    allow(refusal, 's3:ListBucket', `arn:aws:s3:::${bucket}`);
    this.check(bucket);
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const asked = Number(query.get('max-keys') ?? LIMITS.page);
    if (!Number.isInteger(asked) || asked < 0) throw new S3Error(400, 'InvalidArgument', 'Argument maxKeys must be an integer between 0 and 2147483647');
    const token = query.get('continuation-token');
    const after = token === null ? query.get('start-after') ?? '' : Buffer.from(token, 'base64url').toString();
    const entries = new Map<string, string>();
    for (const { key, size, modifiedAt } of this.files.list(bucket)) {
      if (!key.startsWith(prefix)) continue;
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      const name = end < 0 ? key : key.slice(0, end + delimiter.length);
      if (Buffer.compare(Buffer.from(name), Buffer.from(after)) <= 0) continue;
      const { body } = this.files.read(bucket, key)!;
      entries.set(name, end < 0
        ? `<Contents>${tag('Key', key)}${tag('LastModified', modifiedAt.toISOString())}${tag('ETag', etagOf(body))}${tag('Size', size)}${tag('StorageClass', 'STANDARD')}</Contents>`
        : `<CommonPrefixes>${tag('Prefix', name)}</CommonPrefixes>`);
    }
    const page = [...entries].slice(0, Math.min(asked, LIMITS.page));
    const isTruncated = page.length > 0 && page.length < entries.size;
    const next = isTruncated ? tag('NextContinuationToken', Buffer.from(page.at(-1)![0]).toString('base64url')) : '';
    const text = [
      tag('Name', bucket), tag('Prefix', prefix), delimiter === '' ? '' : tag('Delimiter', delimiter), tag('MaxKeys', asked), tag('KeyCount', page.length),
      tag('IsTruncated', isTruncated), next, ...page.map(([, entry]) => entry),
    ].join('');
    return xml(200, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${text}</ListBucketResult>`);
  }

  private get template(): string {
    return this.resolved ??= JSON.stringify(this.props.values.resolve(this.props.stack.template));
  }

  /** Refuses a bucket that the template neither has nor names. */
  private check(bucket: string): void {
    const isNamed = this.template.includes(`"${bucket}"`) || this.template.includes(`:s3:::${bucket}`);
    const isOwn = this.props.stack.ofType('AWS::S3::Bucket').some((id) => this.props.values.text({ Ref: id }) === bucket);
    if (!isNamed && !isOwn) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
  }

  private kmsKeyOf(bucket: string): string | undefined {
    const { ServerSideEncryptionConfiguration: [rule] = [] } = this.properties(bucket).BucketEncryption ?? {};
    return rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
  }

  /** Determines whether the bucket has a default retention (S3 Object Lock). */
  private hasRetention(bucket: string): boolean {
    return this.properties(bucket).ObjectLockConfiguration?.Rule?.DefaultRetention !== undefined;
  }

  /** Returns the properties of a bucket in the template; none of another one. */
  private properties(bucket: string): BucketProperties {
    const { stack, values } = this.props;
    const own = stack.ofType('AWS::S3::Bucket').find((id) => values.text({ Ref: id }) === bucket);
    return values.resolve(stack.resource(own ?? '')?.Properties ?? {}) as BucketProperties;
  }
}

class S3Error extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly isEmpty = false) {
    super(message);
  }
}

function allow(refusal: RefusalOf, action: string, resource: string): void {
  const reason = refusal(action, resource);
  if (reason !== undefined) throw new S3Error(403, 'AccessDenied', `User is not authorized to perform: ${action}: ${reason}`);
}

/** Determines whether a request is for an object itself, and not for its tags or parts of it. */
function isPlain(query: URLSearchParams): boolean {
  return [...query.keys()].every((name) => name === 'x-id');
}

function checkSums(headers: Readonly<Record<string, string>>, body: Buffer, isRequired: boolean): void {
  const md5 = headers['content-md5'];
  if (isRequired && md5 === undefined && !Object.keys(headers).some((name) => name.startsWith('x-amz-checksum-'))) {
    throw new S3Error(400, 'InvalidRequest', 'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters');
  }
  const sha256 = headers['x-amz-checksum-sha256'];
  if (sha256 !== undefined && sha256 !== createHash('sha256').update(body).digest('base64')) {
    throw new S3Error(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
  }
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  const crc = headers['x-amz-checksum-crc32'];
  const { crc32 } = zlib as { readonly crc32?: (data: Buffer) => number };
  if (crc === undefined || crc32 === undefined) return;
  const computed = Buffer.alloc(4);
  computed.writeUInt32BE(crc32(body));
  if (crc !== computed.toString('base64')) throw new S3Error(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function tag(name: string, value: string | number | boolean): string {
  const text = `${value}`.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.codePointAt(0)};`);
  return `<${name}>${text}</${name}>`;
}

function xml(status: number, text: string): AwsReply {
  const bytes = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
  return { status, headers: { 'content-type': 'application/xml', 'content-length': `${bytes.length}`, 'x-amz-request-id': randomUUID() }, bytes };
}

function failure({ status, code, message, isEmpty }: S3Error): AwsReply {
  if (isEmpty) return { status, headers: { 'x-amz-request-id': randomUUID() } };
  return xml(status, `<Error>${tag('Code', code)}${tag('Message', message)}${tag('RequestId', randomUUID())}</Error>`);
}
