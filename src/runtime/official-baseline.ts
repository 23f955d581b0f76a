import * as iam from 'aws-cdk-lib/aws-iam';

/**
 * The statements that the official `Runtime` adds to every role, by their ids.
 *
 * Both the id and the actions have to match: a statement that a later release adds or widens is not ours to leave out.
 */
const OFFICIAL_BASELINE = new Map([
  ['LogGroupAccess', ['logs:CreateLogGroup', 'logs:DescribeLogStreams']],
  ['DescribeLogGroups', ['logs:DescribeLogGroups']],
  ['LogStreamAccess', ['logs:CreateLogStream', 'logs:PutLogEvents']],
  ['XRayAccess', ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments']],
  ['CloudWatchMetrics', ['cloudwatch:PutMetricData']],
  ['GetAgentAccessToken', [
    'bedrock-agentcore:GetWorkloadAccessToken',
    'bedrock-agentcore:GetWorkloadAccessTokenForJWT',
    'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
  ]],
]);

/** Whether the statement is one of those that the official construct adds to every execution role. */
export function isOfficialBaseline(statement: iam.PolicyStatement): boolean {
  const actions = OFFICIAL_BASELINE.get(statement.sid ?? '');
  return actions !== undefined && actions.join() === [...statement.actions].sort().join();
}
