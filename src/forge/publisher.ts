import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { FORGE_ENVIRONMENT, PUBLISHER_MEMORY_MEBIBYTES } from './constants';
import { Forge } from './forge';
import { PublisherFunction } from './publisher-function';
import { LIMITS } from '../jobs/constants';
import { sessionResources } from '../runtime/endpoint';
import { INVOKE_COMMAND_ACTIONS } from '../runtime/perms';

/** Properties for `Publisher`. */
export interface PublisherProps {
  /** The forge whose credential it holds. */
  readonly forge: Forge;
  /** The patterns of the repositories that the credential may be sent to. */
  readonly repositories: string[];
  /** The beginning of the names of branches that it may push. */
  readonly branchPrefix: string;
  /** The runtime and the endpoint of each session that changes are taken from. */
  readonly sources: ReadonlyArray<{ readonly runtime: IBedrockAgentRuntime; readonly endpoint?: IRuntimeEndpoint }>;
}

/**
 * The Lambda function that holds the credential of a forge for one loop. It makes the commit of a verified change and pushes it.
 *
 * Its role can read the secrets of the forge, and run commands in sessions of the loop's runtime, from which it takes the change.
 */
export class Publisher extends Construct {
  /** The Lambda function. */
  public readonly function: lambda.IFunction;

  constructor(scope: Construct, id: string, { forge, repositories, branchPrefix, sources }: PublisherProps) {
    super(scope, id);
    const { vpc, vpcSubnets, securityGroups, caBundle, logRetention = logs.RetentionDays.THREE_MONTHS } = forge._options;
    const logGroup = new logs.LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Publisher: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
            // These actions do not support resource-level permissions.
            new iam.PolicyStatement({
              actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments', ...vpc === undefined ? [] : NETWORK_ACTIONS],
              resources: ['*'],
            }),
            ...sources.map(({ runtime, endpoint }) => new iam.PolicyStatement({
              actions: INVOKE_COMMAND_ACTIONS,
              resources: sessionResources(runtime, endpoint),
            })),
          ],
        }),
      },
    });
    forge._secrets.forEach((secret) => secret.grantRead(role));
    const stack = Stack.of(this);
    this.function = new PublisherFunction(this, 'Function', {
      description: 'Holds the credential of a forge, and publishes verified changes',
      architecture: lambda.Architecture.ARM_64,
      memorySize: PUBLISHER_MEMORY_MEBIBYTES,
      timeout: Duration.seconds(LIMITS.functionSeconds),
      tracing: lambda.Tracing.ACTIVE,
      role: role.withoutPolicyUpdates(),
      logGroup,
      vpc,
      vpcSubnets,
      securityGroups,
      environment: {
        [FORGE_ENVIRONMENT.FORGE]: stack.toJsonString(forge._config()),
        [FORGE_ENVIRONMENT.REPOSITORIES]: stack.toJsonString(repositories),
        [FORGE_ENVIRONMENT.BRANCH_PREFIX]: branchPrefix,
        ...(caBundle === undefined ? {} : { [FORGE_ENVIRONMENT.CA_BUNDLE]: caBundle }),
      },
    });
  }
}

/** Permissions for the network interfaces of a function in a VPC: "Giving Lambda functions access to resources in an Amazon VPC". */
const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets', 'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses',
];
