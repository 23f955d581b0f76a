/**
 * Names and limits that the constructs, the handlers and the tests share.
 */

/**
 * What an endpoint remembers of its rollout. Tags, since they are made with the endpoint in one call, change without a
 * transition of it, and need no storage of their own.
 */
export const TAGS = {
  /** Name of the rollout that made the endpoint. No other endpoint is ever touched. */
  ROLLOUT: 'cdk-agentcore-workbench:rollout',
  /** Digests of the sets of smoke tests that it passed, the newest first. Absent: nobody was given its name. */
  PASSED: 'cdk-agentcore-workbench:passed',
  /** CloudFormation request that tests it, from whose name the smoke session's id is derived. Empty: no session is left. */
  REQUEST: 'cdk-agentcore-workbench:request',
  /** When another endpoint took its place, and in which request. */
  RETIRED: 'cdk-agentcore-workbench:retired',
} as const;

/**
 * Tags of the endpoint `DEFAULT`, which every runtime has and no template describes: with the rollout's name and a request's id, when that
 * began. One for each request, so that none overwrites another's.
 */
export const REQUEST_TAG = 'cdk-agentcore-workbench:began:';

/** Attributes of the custom resource. */
export const ATTRIBUTES = { ENDPOINT_NAME: 'EndpointName', VERSION: 'Version' } as const;

/** Limits, with where they come from. */
export const LIMITS = {
  /** Endpoints of a runtime, `DEFAULT` among them; adjustable. "Amazon Bedrock AgentCore quotas". */
  endpoints: 10,
  /** Endpoints that a rollout keeps: the quota without `DEFAULT`. */
  keepEndpoints: { min: 1, default: 4, max: 9 },
  /** Seconds that an endpoint is kept after another took its place: session storage that is not used lives for 14 days. */
  retentionSeconds: { default: 14 * 86_400, max: 3_650 * 86_400 },
  /** Seconds of a rollout as a whole. CloudFormation waits an hour for a custom resource. */
  timeoutSeconds: { min: 60, default: 1_800, max: 3_000 },
  /** Seconds from a rollout's begin in which runs are waited for whose endpoint is to be removed. */
  drainSeconds: 600,
  /** Seconds of a deletion: afterwards what is left is left. */
  deleteSeconds: 600,
  /** Seconds of a smoke test that is a command. */
  commandSeconds: { min: 1, default: 120, max: 1_800 },
  /** Seconds of a smoke test that is an invoke: one call of the function has to see its end. */
  invokeSeconds: { min: 1, default: 180, max: 600 },
  /** Smoke tests of a rollout. */
  smokeTests: 20,
  /** Seconds in which a new policy of the function, or a new version, may not be known everywhere yet. */
  propagationSeconds: 120,
  /** Times that a command is started again whose microVM was replaced. */
  lostRounds: 3,
  /** Sets of smoke tests that a tag remembers: of 16 characters each, they fit its 256. */
  passedSets: 12,
  /** Bytes of CloudFormation's reason, as JSON: a whole response has 4,096, the rest of it takes up to 1,100. "Custom resource response objects". */
  reasonBytes: 2_800,
  /** Bytes of an output's end in the reason, before it is made to fit. */
  tailBytes: 2_048,
  /** Seconds between two looks of the provider at a rollout that is under way. */
  pollSeconds: 10,
  /** Seconds in which the control plane has to answer a request; then it is made again, up to three times. */
  requestSeconds: 20,
  /** Seconds of the provider framework's waiter: longer than anything of ours, since its own error at the end says nothing of what was waited for. */
  waiterSeconds: 3_600,
  /** Seconds from its begin after which a request is over, though nobody waits for it: the waiter's, and those of the function that it asked last. */
  requestMayLiveSeconds: 4_500,
  /** Seconds of the function: its caller, a function of the provider framework, lives for 900. */
  functionSeconds: 840,
  /** Seconds of the function that are kept to stop the session and to remove the candidate. */
  functionMarginSeconds: 140,
} as const;

/** Kinds of a smoke test. */
export const SMOKE_TEST_KINDS = { COMMAND: 'command', INVOKE: 'invoke' } as const;

/** The name of a version's endpoint. */
export const ENDPOINT_NAME = /^v[1-9][0-9]{0,4}$/;
