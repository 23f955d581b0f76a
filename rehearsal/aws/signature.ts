import { createHash, createHmac } from 'node:crypto';
import type { AwsRequest } from './request';

/** The fault of a signed request to S3, as the service names it. */
export interface SignatureFault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** The maximum difference of a request's time and the time here, in milliseconds. */
const SKEW = 900_000;

/** Returns the service of a signed request, such as `s3`. */
export function serviceOf(authorization: string): string | undefined {
  return /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization)?.[1];
}

/**
 * Checks the signature and the checksum of a request to S3. Unlike those of other services, its signatures have the path as it is sent, encoded once.
 *
 * @param secret the secret access key of all callers
 */
export function signatureFault(request: AwsRequest, region: string, secret: string): SignatureFault | undefined {
  const { headers = {}, body } = request;
  const [, , day, named, signed = '', signature] = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  if (signature === undefined) return { status: 403, code: 'AccessDenied', message: 'Access Denied' };
  if (named !== region) return malformed(`The authorization header is malformed; the region '${named}' is wrong; expecting '${region}'`);
  const names = signed.split(';');
  const date = headers['x-amz-date'] ?? '';
  const required = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  if (required.some((name) => !names.includes(name))) return { status: 403, code: 'AccessDenied', message: 'There were headers present in the request which were not signed' };
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(time) || !date.startsWith(day)) return malformed('The authorization header is malformed; Invalid credential date');
  if (Math.abs(Date.now() - time) > SKEW) {
    return { status: 403, code: 'RequestTimeTooSkewed', message: 'The difference between the request time and the current time is too large.' };
  }
  const hash = headers['x-amz-content-sha256'];
  if (hash === undefined) return { status: 400, code: 'InvalidRequest', message: 'Missing required header for this request: x-amz-content-sha256' };
  if (hash.startsWith('STREAMING-')) return { status: 501, code: 'NotImplemented', message: 'a rehearsal takes no bodies in signed chunks' };
  if (hash !== 'UNSIGNED-PAYLOAD' && hash !== sha256(body)) {
    return { status: 400, code: 'XAmzContentSHA256Mismatch', message: 'The provided \'x-amz-content-sha256\' header does not match what was computed.' };
  }
  const canonical = [
    request.method,
    canonicalPath(request.path.split('?')[0]),
    canonicalQuery(request.path.split('?')[1] ?? ''),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    hash,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>((previous, part) => hmac(previous, part), `AWS4${secret}`);
  const expected = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex');
  if (expected === signature) return undefined;
  return { status: 403, code: 'SignatureDoesNotMatch', message: 'The request signature we calculated does not match the signature you provided.' };
}

function malformed(message: string): SignatureFault {
  return { status: 400, code: 'AuthorizationHeaderMalformed', message };
}

/** Encodes a path as signatures have it: everything but letters, digits and `-._~/`, once. */
function canonicalPath(path: string): string {
  return path.split('/').map((part) => encoded(decodeURIComponent(part))).join('/');
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort().join('&');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
