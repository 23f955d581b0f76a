/** Names and limits that the constructs, the handlers and the tests share. */

/**
 * Tags in which an endpoint holds the state of its rollout. They are created with the endpoint in one call, can be changed without putting it
 * in transition, and need no storage of their own.
 */
export const TAGS = {
  /** The name of the rollout that created the endpoint. No other endpoint is ever changed. */
  ROLLOUT: 'cdk-agentcore-workbench:rollout',
  /** The digests of the sets of smoke tests that the endpoint passed, the newest first. Without the tag, nobody was given its name. */
  PASSED: 'cdk-agentcore-workbench:passed',
  /** The CloudFormation request that tests the endpoint, from which the id of the smoke session is derived. Empty if no session is left. */
  REQUEST: 'cdk-agentcore-workbench:request',
  /** The time at which another endpoint took its place, and the request in which it did. */
  RETIRED: 'cdk-agentcore-workbench:retired',
} as const;

/**
 * The prefix of tags of the endpoint `DEFAULT`, which every runtime has and no template describes. The rest of the name is the rollout's name and
 * the id of a request, and the value is the time at which it began. Each request has a tag of its own, so that none overwrites another's.
 */
export const REQUEST_TAG = 'cdk-agentcore-workbench:began:';

/** The attributes of the custom resource. */
export const ATTRIBUTES = { ENDPOINT_NAME: 'EndpointName', VERSION: 'Version' } as const;

/** Limits and their sources. */
export const LIMITS = {
  /** Endpoints per runtime, including `DEFAULT`. Adjustable. See "Quotas for Amazon Bedrock AgentCore". */
  endpoints: 10,
  /** Endpoints that a rollout keeps. The maximum is the quota without `DEFAULT`. */
  keepEndpoints: { min: 1, default: 4, max: 9 },
  /** Seconds for which a replaced endpoint is kept. Session storage that is not used lives for 14 days. */
  retentionSeconds: { default: 14 * 86_400, max: 3_650 * 86_400 },
  /** Seconds for a whole rollout. CloudFormation waits an hour for a custom resource. */
  timeoutSeconds: { min: 60, default: 1_800, max: 3_000 },
  /** Seconds after the start of a rollout in which it waits for runs whose endpoint is due for removal. */
  drainSeconds: 600,
  /** Seconds for a deletion. Endpoints that still exist then are left. */
  deleteSeconds: 600,
  /** Seconds for a smoke test that is a command. */
  commandSeconds: { min: 1, default: 120, max: 1_800 },
  /** Seconds for a smoke test that is an invoke. One call of the function has to see its end. */
  invokeSeconds: { min: 1, default: 180, max: 600 },
  /** Smoke tests per rollout. */
  smokeTests: 20,
  /** Seconds that a new policy of the function, or a new version, may take to be known everywhere. */
  propagationSeconds: 120,
  /** Attempts at a command whose microVM is replaced. */
  lostRounds: 3,
  /** Sets of smoke tests in a tag. Each takes 16 of its 256 characters. */
  passedSets: 12,
  /** Bytes of the reason, as JSON. A whole response has 4,096, of which the rest takes up to 1,100. See "Custom resource response objects". */
  reasonBytes: 2_800,
  /** Bytes of an output in the reason, before it is made to fit. */
  tailBytes: 2_048,
  /** Seconds between two calls of the provider framework. */
  pollSeconds: 10,
  /** Seconds in which the control plane has to answer. Then the call is repeated, up to three times. */
  requestSeconds: 20,
  /** Seconds for the waiter of the provider framework. Longer than any timeout of ours, since its own error does not say what it waited for. */
  waiterSeconds: 3_600,
  /** Seconds after which a request has ended, even if nobody waits for it: those of the waiter, and of the function that it called last. */
  requestMayLiveSeconds: 4_500,
  /** Seconds for the function. Its caller, a function of the provider framework, lives for 900. */
  functionSeconds: 840,
  /** Seconds of the function that are reserved to stop the session and to remove the candidate. */
  functionMarginSeconds: 140,
} as const;

/** A smoke test in the template that runs a command. CloudFormation turns every value into a string. */
export interface CommandTestProperties {
  readonly Name: string;
  readonly Command: string;
  readonly ExitCode: string;
  readonly TimeoutSeconds: string;
}

/** A smoke test in the template that invokes the agent. */
export interface InvokeTestProperties {
  readonly Name: string;
  /** JSON. */
  readonly Payload: string;
  /** A regular expression. */
  readonly Expect?: string;
  readonly TimeoutSeconds: string;
}

/** A smoke test in the template. */
export type SmokeTestProperties = CommandTestProperties | InvokeTestProperties;

/** Returns whether a smoke test invokes the agent. */
export function isInvokeTest(test: SmokeTestProperties): test is InvokeTestProperties {
  return 'Payload' in test;
}

/** The name of the endpoint of a version. */
export const ENDPOINT_NAME = /^v[1-9][0-9]{0,4}$/;
