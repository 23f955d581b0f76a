import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { LIMITS } from './handler/constants';
import { RuntimeRolloutEventFunction } from './runtime-rollout-event-function';
import { RuntimeRolloutFunction } from './runtime-rollout-function';
import { allowLogEncryption } from '../private/log-encryption';

/** @internal */
export interface RolloutProviderProps {
  /** The permissions of the function that does the work. */
  readonly statements: iam.PolicyStatement[];
  /**
   * The retention period of the logs.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;
  /**
   * The key that encrypts the logs.
   *
   * @default - the encryption of CloudWatch Logs
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * The functions behind the custom resource, and the functions of the provider framework that call them.
 *
 * Each rollout has its own, so that a function has access to one runtime only.
 *
 * @internal
 */
export class RolloutProvider extends Construct {
  /** The service token of the custom resource. */
  public readonly serviceToken: string;

  constructor(scope: Construct, id: string, props: RolloutProviderProps) {
    super(scope, id);

    if (props.encryptionKey !== undefined) allowLogEncryption(props.encryptionKey);
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      encryptionKey: props.encryptionKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logging = roleFor(logGroup);
    const common = { architecture: lambda.Architecture.ARM_64, logGroup, retryAttempts: 0 };
    const onEvent = new RuntimeRolloutEventFunction(this, 'OnEvent', {
      ...common,
      description: 'Starts a rollout of an Amazon Bedrock AgentCore runtime',
      timeout: Duration.seconds(30),
      role: new iam.Role(this, 'OnEventRole', logging).withoutPolicyUpdates(),
    });
    const isComplete = new RuntimeRolloutFunction(this, 'IsComplete', {
      ...common,
      description: 'Creates, tests and removes endpoints of an Amazon Bedrock AgentCore runtime',
      memorySize: 512,
      timeout: Duration.seconds(LIMITS.functionSeconds),
      role: new iam.Role(this, 'IsCompleteRole', roleFor(logGroup, props.statements)).withoutPolicyUpdates(),
    });
    const provider = new cr.Provider(this, 'Framework', {
      onEventHandler: onEvent,
      isCompleteHandler: isComplete,
      queryInterval: Duration.seconds(LIMITS.pollSeconds),
      totalTimeout: Duration.seconds(LIMITS.waiterSeconds),
      logGroup,
      frameworkOnEventRole: new iam.Role(this, 'FrameworkOnEventRole', logging),
      frameworkCompleteAndTimeoutRole: new iam.Role(this, 'FrameworkIsCompleteRole', logging),
      // The framework's errors and the input of its state machine contain the response URL. Both settings are the defaults today.
      frameworkLambdaLoggingLevel: lambda.ApplicationLogLevel.FATAL,
      disableWaiterStateMachineLogging: true,
    });
    this.serviceToken = provider.serviceToken;
  }
}

/** Uses inline policies, as the session driver does: the managed policy allows writing to every log group. */
function roleFor(logGroup: logs.ILogGroup, statements: iam.PolicyStatement[] = []): iam.RoleProps {
  const logging = new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] });
  return {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { Rollout: new iam.PolicyDocument({ statements: [logging, ...statements] }) },
  };
}
