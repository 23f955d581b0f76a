import * as iam from 'aws-cdk-lib/aws-iam';

/** The permissions of one official statement. */
interface Baseline {
  /** Sorted. */
  readonly actions: string[];
  /** Either `*`, or the service and what follows the account in the ARN: a role does not know the Region and account of its runtime. */
  readonly resources: string[];
  readonly conditions?: { readonly [operator: string]: unknown };
}

/**
 * The statements that the official `Runtime` adds to every role, by statement ID.
 *
 * A statement must match entirely: one that a later release adds or widens must not be left out, nor one of the user's.
 */
const OFFICIAL_BASELINE = new Map<string, Baseline>([
  ['LogGroupAccess', {
    actions: ['logs:CreateLogGroup', 'logs:DescribeLogStreams'],
    resources: ['logs:log-group:/aws/bedrock-agentcore/runtimes/*'],
  }],
  ['DescribeLogGroups', { actions: ['logs:DescribeLogGroups'], resources: ['logs:log-group:*'] }],
  ['LogStreamAccess', {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: ['logs:log-group:/aws/bedrock-agentcore/runtimes/*:log-stream:*'],
  }],
  ['XRayAccess', {
    actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    resources: ['*'],
  }],
  ['CloudWatchMetrics', {
    actions: ['cloudwatch:PutMetricData'],
    resources: ['*'],
    conditions: { StringEquals: { 'cloudwatch:namespace': 'bedrock-agentcore' } },
  }],
  ['GetAgentAccessToken', {
    actions: [
      'bedrock-agentcore:GetWorkloadAccessToken',
      'bedrock-agentcore:GetWorkloadAccessTokenForJWT',
      'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
    ],
    resources: [
      'bedrock-agentcore:workload-identity-directory/default',
      'bedrock-agentcore:workload-identity-directory/default/workload-identity/*',
    ],
  }],
]);

/** Determines whether the statement is one that the official construct adds to every execution role. */
export function isOfficialBaseline({ sid, effect, actions, resources, conditions }: iam.PolicyStatement): boolean {
  const official = OFFICIAL_BASELINE.get(sid ?? '');
  return official !== undefined
    && effect === iam.Effect.ALLOW
    && official.actions.join() === [...actions].sort().join()
    && official.resources.join() === resources.map(withoutPlace).sort().join()
    && JSON.stringify(official.conditions ?? {}) === JSON.stringify(conditions);
}

/** Returns the ARN without partition, Region and account, which may be tokens. A token contains no colon. */
function withoutPlace(arn: string): string {
  const [, , service, , , ...resource] = arn.split(':');
  return service === undefined ? arn : [service, ...resource].join(':');
}
