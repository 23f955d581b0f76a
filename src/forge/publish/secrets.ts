import { ReadSecret } from './basic';
import { AwsRequests } from '../../handler/aws-requests';

/** The time for which a value is used, in milliseconds: a rotated secret is noticed within it. */
const KEPT_MILLISECONDS = 300_000;

const REQUEST_MILLISECONDS = 10_000;

/** Returns a function that reads secrets from Secrets Manager, and keeps each for 5 minutes. */
export function secretReader(requests: AwsRequests, now: () => number): ReadSecret {
  const kept = new Map<string, { readonly value: string; readonly until: number }>();
  return async (arn) => {
    const known = kept.get(arn);
    if (known !== undefined && known.until > now()) return known.value;
    const reply = await requests.json<{ readonly SecretString?: string; readonly SecretBinary?: string }>(
      '1.1', 'secretsmanager.GetSecretValue', { SecretId: arn }, AbortSignal.timeout(REQUEST_MILLISECONDS),
    );
    const value = reply.SecretString ?? Buffer.from(reply.SecretBinary ?? '', 'base64').toString();
    if (value.trim() === '') throw new TypeError(`the secret ${arn} is empty: store the credential in it`);
    kept.set(arn, { value, until: now() + KEPT_MILLISECONDS });
    return value;
  };
}
