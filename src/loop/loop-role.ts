import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { CodingLoopProps } from './coding-loop-props';

/** Creates the role of a loop's state machine, with one inline policy: a policy of its own would be one more resource. */
export function loopRole(
  scope: Construct, functions: readonly lambda.IFunction[], { tracingEnabled, encryptionKey }: Pick<CodingLoopProps, 'tracingEnabled' | 'encryptionKey'>,
): iam.Role {
  const statements = [
    new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: functions.map(({ functionArn }) => functionArn) }),
    // Log delivery is managed for the account, not for a log group.
    new iam.PolicyStatement({
      actions: [
        'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies',
        'logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
      ],
      resources: ['*'],
    }),
    // X-Ray has no resources to name.
    ...(tracingEnabled === false ? [] : [new iam.PolicyStatement({
      actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
      resources: ['*'],
    })]),
    ...(encryptionKey === undefined ? [] : [new iam.PolicyStatement({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [encryptionKey.keyArn],
    })]),
  ];
  const stack = Stack.of(scope);
  const stateMachines = stack.formatArn({
    service: 'states', resource: 'stateMachine', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new iam.Role(scope, 'Role', {
    // The state machine's own ARN would be a cycle.
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnLike: { 'aws:SourceArn': stateMachines },
      },
    }),
    inlinePolicies: { Runs: new iam.PolicyDocument({ statements }) },
  });
}
