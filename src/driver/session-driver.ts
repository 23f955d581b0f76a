import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { SessionDriverFunction } from './session-driver-function';
import { LIMITS } from '../jobs/constants';
import { allowLogEncryption } from '../private/log-encryption';
import { sessionResources } from '../runtime/endpoint';

/** Properties for `SessionDriver`. */
export interface SessionDriverProps {
  /**
   * The retention period of the function's logs.
   *
   * The logs contain session IDs, verdicts and sizes, but neither the output of commands nor prompts. If a call fails, Lambda logs the message
   * of the error, which can include text that the service or the agent returned.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * The key that encrypts the function's logs.
   *
   * The policy of a key in this app gets the statement that CloudWatch Logs needs. The policy of an imported key must allow the service
   * `logs.<region>.amazonaws.com` the actions `kms:Decrypt`, `kms:Encrypt`, `kms:GenerateDataKey*` and `kms:ReEncrypt*`, under the
   * condition that `kms:EncryptionContext:aws:logs:arn` is like `arn:aws:logs:<region>:<account>:log-group:*`.
   *
   * @default - the encryption of CloudWatch Logs
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * The removal policy of the log group.
   *
   * @default RemovalPolicy.DESTROY - runs do not depend on the logs
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The memory of the function, in MiB: 128 to 10,240. Lambda allocates CPU power in proportion to it.
   *
   * @default 512
   */
  readonly memorySize?: number;
}

const SINGLETON_ID = 'AgentcoreWorkbenchSessionDriver';

/**
 * The Lambda function that talks to sessions. It invokes agents, runs commands as jobs and stops sessions for the tasks and loops of a stack.
 *
 * Tasks and loops use the driver of their stack, and create it if there is none. To choose its encryption, retention or memory, create a driver
 * and pass it to them.
 *
 * ## Limitations
 *
 * An invocation of an agent can take at most 14 minutes and 40 seconds, because a Lambda function can run for 15 minutes. Commands outlive the
 * function: they run as jobs in the session.
 */
export class SessionDriver extends Construct {
  /**
   * Returns the driver of the stack, and creates it if there is none.
   *
   * @param scope A construct in the stack
   */
  public static getOrCreate(scope: Construct): SessionDriver {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(SINGLETON_ID) as SessionDriver | undefined) ?? new SessionDriver(stack, SINGLETON_ID);
  }

  /** The Lambda function, which state machines invoke. */
  public readonly function: lambda.IFunction;

  /** The log group of the function. */
  public readonly logGroup: logs.ILogGroup;

  private readonly policy = new iam.PolicyDocument();
  private readonly allowed = new Set<string>();

  constructor(scope: Construct, id: string, props: SessionDriverProps = {}) {
    super(scope, id);

    if (props.encryptionKey !== undefined) allowLogEncryption(props.encryptionKey);
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      encryptionKey: props.encryptionKey,
      removalPolicy: props.removalPolicy ?? RemovalPolicy.DESTROY,
    });
    // Inline: this saves a policy resource, and avoids a managed policy that can write to every log group.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { Driver: this.policy },
    });
    this.policy.addStatements(
      new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [this.logGroup.logGroupArn] }),
      // These actions do not support resource-level permissions.
      new iam.PolicyStatement({ actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resources: ['*'] }),
    );
    this.function = new SessionDriverFunction(this, 'Function', {
      description: 'Invokes agents, runs commands and stops sessions of Amazon Bedrock AgentCore',
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memorySize ?? 512,
      timeout: Duration.seconds(LIMITS.functionSeconds),
      // If the caller is not sampled, neither are the spans of the runtime that it calls.
      tracing: lambda.Tracing.ACTIVE,
      retryAttempts: 0,
      role: role.withoutPolicyUpdates(),
      logGroup: this.logGroup,
    });
  }

  /**
   * Grants the driver permission for actions on a runtime's sessions.
   *
   * @internal
   */
  public _allow(runtime: IBedrockAgentRuntime, actions: string[], endpoint?: IRuntimeEndpoint): void {
    const resources = sessionResources(runtime, endpoint);
    const key = JSON.stringify(Stack.of(this).resolve([actions, resources]));
    if (this.allowed.has(key)) return;
    this.allowed.add(key);
    this.policy.addStatements(new iam.PolicyStatement({ actions, resources }));
  }

  /**
   * Grants the driver permission to call the publisher of a loop.
   *
   * @internal
   */
  public _allowCalls(publisher: lambda.IFunction): void {
    this.policy.addStatements(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [publisher.functionArn] }));
  }

  /**
   * Grants the driver a permission for the people who operate a loop, once for all loops.
   *
   * @internal
   */
  public _allowTo(statement: iam.PolicyStatement): void {
    const key = JSON.stringify(Stack.of(this).resolve(statement.toStatementJson()));
    if (this.allowed.has(key)) return;
    this.allowed.add(key);
    this.policy.addStatements(statement);
  }

  /**
   * Grants the driver permission to list a state machine's executions and to read their inputs.
   *
   * @param scope A construct in the stack of the state machine
   * @param name The name of the state machine, if it is set. Otherwise, the grant covers all state machines of the account and Region: the ARN would
   * be a circular reference, since the definition contains this function, and CloudFormation does not document how it generates names.
   * @internal
   */
  public _allowExecutions(scope: Construct, name?: string, encryptionKey?: kms.IKey): void {
    const stack = Stack.of(scope);
    const stateMachine = name ?? '*';
    const arn = (resource: string, resourceName: string) => stack.formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const key = JSON.stringify(stack.resolve([arn('execution', stateMachine), encryptionKey?.keyArn]));
    if (this.allowed.has(key)) return;
    this.allowed.add(key);
    this.policy.addStatements(
      new iam.PolicyStatement({ actions: ['states:DescribeExecution', 'states:DescribeStateMachineForExecution'], resources: [arn('execution', `${stateMachine}:*`)] }),
      new iam.PolicyStatement({ actions: ['states:ListExecutions'], resources: [arn('stateMachine', stateMachine)] }),
      // Step Functions shows an encrypted input only to callers with permission to decrypt it.
      ...(encryptionKey === undefined ? [] : [new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: [encryptionKey.keyArn] })]),
    );
  }
}
