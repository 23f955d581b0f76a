import { createHash } from 'crypto';
import { GetAgentRuntimeResponse } from '@aws-sdk/client-bedrock-agentcore-control';

/** What tells one version from another although they do the same. */
const IDENTITY: readonly string[] = [
  '$metadata', 'agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeName', 'agentRuntimeVersion', 'createdAt', 'failureReason', 'lastUpdatedAt',
  'status', 'workloadIdentityDetails',
] satisfies (keyof GetAgentRuntimeResponse | '$metadata')[];

/**
 * A digest of what a version of a runtime does.
 *
 * All but the identity counts: a property that nobody here has heard of makes versions differ, and one is tested once more; the
 * opposite would hand out an old version for a new one. It is never stored, since the service or its SDK may learn to say more.
 */
export function configurationDigest(version: GetAgentRuntimeResponse): string {
  return digest(Object.fromEntries(Object.entries(version).filter(([name]) => !IDENTITY.includes(name))));
}

/** 15 characters that are the same for values that are equal, whatever the order of their properties. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 15);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (isPlain(item)
    ? Object.fromEntries(Object.entries(item).filter(([, member]) => member !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)))
    : item));
}

function isPlain(item: unknown): item is object {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}
