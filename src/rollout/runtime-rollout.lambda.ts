import { Logger } from '@aws-lambda-powertools/logger';
import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { BedrockAgentCoreControlClient } from '@aws-sdk/client-bedrock-agentcore-control';
import { SFNClient } from '@aws-sdk/client-sfn';
import { LIMITS } from './handler/constants';
import { ControlPlane } from './handler/control-plane';
import { StepFunctionsExecutions } from './handler/executions';
import { handleRollout } from './handler/handle-rollout';
import { RolloutEvent } from './handler/rollout-request';
import { SYSTEM_CLOCK } from '../handler/clock';
import { numberFromEnv } from '../handler/environment';
import { ENVIRONMENT } from '../jobs/constants';

/**
 * Handles one step of a request. The provider framework calls it until the request is complete. See `handler/handle-rollout.ts`.
 *
 * The event contains CloudFormation's response URL, which is as good as a password: the event is never logged.
 */
export async function handler(event: RolloutEvent, context: { getRemainingTimeInMillis(): number }) {
  const log = new Logger({ serviceName: 'runtime-rollout', persistentKeys: { request: event.RequestId, runtime: event.ResourceProperties.RuntimeId } });
  // By default the SDK waits for an answer indefinitely: the function would time out, and fail the deployment.
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
