import { constants, createPublicKey, publicEncrypt } from 'crypto';
import { Credential } from './forge-client';

/** The number of bytes that a block of a 2,048-bit key holds with OAEP and SHA-256 (RFC 8017, section 7.1.1). */
const BLOCK_BYTES = 190;

/** Encrypts a credential for the session that has the private key, as the lines of a credential helper's reply. */
export function seal({ username, password }: Credential, publicKey: string): string[] {
  if (/[\n\0]/.test(username + password)) throw new TypeError('a credential must not contain line breaks');
  const key = createPublicKey(publicKey);
  const text = Buffer.from(`username=${username}\npassword=${password}\n`);
  const count = Math.ceil(text.length / BLOCK_BYTES);
  const blocks = Array.from({ length: count }, (_, index) => text.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES));
  return blocks.map((block) => publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, block).toString('base64'));
}
