import { Credential, ForgeClient } from './forge-client';
import { ForgeConfig } from '../constants';

/** Reads the value of a secret. */
export type ReadSecret = (arn: string) => Promise<string>;

/** Any remote that takes a user and a password, or a token as one. */
export function basicClient(config: ForgeConfig & { readonly kind: 'basic' }, readSecret: ReadSecret): ForgeClient {
  const credential = async (arn: string) => credentialOf(await readSecret(arn), config.username);
  return {
    pushAuthorization: async () => basicAuthorization(await credential(config.secretArn)),
    fetchCredential: async () => (config.readSecretArn === undefined ? undefined : credential(config.readSecretArn)),
    check: async () => undefined,
  };
}

/** Returns the value of a header `authorization` for git. */
export function basicAuthorization({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Returns the credential in a secret: a token, or JSON with a user and a password. */
export function credentialOf(secret: string, username = 'git'): Credential {
  const text = secret.trim();
  if (!text.startsWith('{')) return { username, password: text };
  const value = JSON.parse(text) as Partial<Credential>;
  if (typeof value.password !== 'string' || (value.username !== undefined && typeof value.username !== 'string')) {
    throw new TypeError('a secret in JSON must have "password", and may have "username"');
  }
  return { username: value.username ?? username, password: value.password };
}
