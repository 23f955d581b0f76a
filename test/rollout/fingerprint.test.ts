import { GetAgentRuntimeResponse } from '@aws-sdk/client-bedrock-agentcore-control';
import { configurationDigest } from '../../src/rollout/handler/control-plane';
import { digest } from '../../src/rollout/handler/rollout-request';

const version = {
  agentRuntimeVersion: '1', status: 'READY', createdAt: new Date(0), roleArn: 'role', environmentVariables: { A: '1', B: '2' },
} as unknown as GetAgentRuntimeResponse;

describe('the digest of a configuration', () => {
  test('is the same for another version with the same configuration, in any order', () => {
    const other = { ...version, agentRuntimeVersion: '3', createdAt: new Date(1), environmentVariables: { B: '2', A: '1' }, description: undefined };
    expect(configurationDigest(other)).toBe(configurationDigest(version));
  });

  test.each([
    ['a value', { environmentVariables: { A: '1', B: '3' } }],
    ['a property that nobody has heard of', { novelty: true }],
    ['the order of a list', { agentRuntimeArtifact: { codeConfiguration: { entryPoint: ['b', 'a'] } } }],
  ])('differs for %s', (_, change) => {
    const before = { ...version, agentRuntimeArtifact: { codeConfiguration: { entryPoint: ['a', 'b'] } } } as unknown as GetAgentRuntimeResponse;
    expect(configurationDigest({ ...before, ...change } as GetAgentRuntimeResponse)).not.toBe(configurationDigest(before));
  });

  test('fits into a tag twelve times, with separators', () => {
    expect(digest('anything')).toMatch(/^[0-9a-f]{15}$/);
  });
});
