import { Logger } from '@aws-lambda-powertools/logger';
import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { BedrockAgentCoreControlClient } from '@aws-sdk/client-bedrock-agentcore-control';
import { SFNClient } from '@aws-sdk/client-sfn';
import { LIMITS } from './constants';
import { ControlPlane } from './control-plane.client';
import { StepFunctionsExecutions } from './executions.client';
import { handleRollout } from './handle-rollout.client';
import { RolloutEvent } from './rollout-request.client';
import { ENVIRONMENT } from '../session/constants';
import { SYSTEM_CLOCK } from '../shared/clock.client';
import { numberFromEnv } from '../shared/environment.client';

/**
 * What the provider framework asks until a request is complete. See `handle-rollout.client.ts`.
 *
 * The event holds CloudFormation's response URL, which is as good as a password: it is never logged.
 */
export async function handler(event: RolloutEvent, context: { getRemainingTimeInMillis(): number }) {
  const log = new Logger({ serviceName: 'runtime-rollout', persistentKeys: { request: event.RequestId, runtime: event.ResourceProperties.RuntimeId } });
  // By default the SDK waits for an answer for ever: the function would end first, and with it the deployment.
  const requestHandler = { connectionTimeout: 5_000, requestTimeout: LIMITS.requestSeconds * 1_000, throwOnRequestTimeout: true };
  return handleRollout(event, {
    control: new ControlPlane(new BedrockAgentCoreControlClient({ maxAttempts: 3, requestHandler }), event.ResourceProperties.RuntimeId),
    sessions: new BedrockAgentCoreClient({ maxAttempts: 3 }),
    executions: new StepFunctionsExecutions(new SFNClient({ maxAttempts: 3, requestHandler })),
    clock: SYSTEM_CLOCK,
    log: {
      info: (message, details = {}) => log.info(message, details as Record<string, unknown>),
      warn: (message, details = {}) => log.warn(message, details as Record<string, unknown>),
    },
    until: SYSTEM_CLOCK.now() + context.getRemainingTimeInMillis() - LIMITS.functionMarginSeconds * 1_000,
    backoffSeconds: numberFromEnv(ENVIRONMENT.BACKOFF_SECONDS, 1),
  });
}
