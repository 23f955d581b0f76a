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

/** Props of `SessionDriver`. */
export interface SessionDriverProps {
  /**
   * The retention of the function's logs. They hold session ids, verdicts and sizes, but no output of a command and no prompt. When a call
   * fails, Lambda adds the error's message, which may quote the service, or the agent's description of its failure.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Key that encrypts the function's logs.
   *
   * A key of this app gets the statement that CloudWatch Logs needs. The policy of an imported key must have it: for the service
   * `logs.<region>.amazonaws.com`, the actions `kms:Decrypt`, `kms:Encrypt`, `kms:GenerateDataKey*` and `kms:ReEncrypt*`, under the
   * condition that `kms:EncryptionContext:aws:logs:arn` is like `arn:aws:logs:<region>:<account>:log-group:*`.
   *
   * @default - CloudWatch Logs' own encryption
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * The removal policy of the log group.
   *
   * @default RemovalPolicy.DESTROY - no run needs the logs
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The memory of the function, in MiB. It also determines the CPU with which the function follows output.
   *
   * @default 512
   */
  readonly memorySize?: number;
}

const SINGLETON_ID = 'AgentcoreWorkbenchSessionDriver';

/**
 * The function that talks to sessions: it invokes agents, runs commands as jobs and stops sessions, for the tasks of a stack.
 *
 * Tasks use the driver of their stack, and create it if there is none. To choose its encryption or retention, create your own and pass it to
 * the tasks.
 *
 * ## Limitations
 *
 * An invoke lasts at most 14 minutes and 40 seconds, since a function lives for 15. Commands outlive the function: they are
 * jobs in the session.
 */
export class SessionDriver extends Construct {
  /** Returns the driver of the stack, and creates it if there is none. */
  public static getOrCreate(scope: Construct): SessionDriver {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(SINGLETON_ID) as SessionDriver | undefined) ?? new SessionDriver(stack, SINGLETON_ID);
  }

  /** The function, which state machines invoke with requests of the driver. */
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
    // Inline: one resource less than a policy of its own, and no managed policy that could write to every log group.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { Driver: this.policy },
    });
    this.policy.addStatements(
      new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [this.logGroup.logGroupArn] }),
      // X-Ray has no resources to name.
      new iam.PolicyStatement({ actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resources: ['*'] }),
    );
    this.function = new SessionDriverFunction(this, 'Function', {
      description: 'Invokes agents, runs commands and stops sessions of Amazon Bedrock AgentCore',
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memorySize ?? 512,
      timeout: Duration.seconds(LIMITS.functionSeconds),
      // An unsampled caller would hide the spans of the runtime that it calls.
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
   * Grants the driver permission to list a state machine's executions and to read their inputs.
   *
   * @param scope in the state machine's stack
   * @param name of the state machine. Without one it is not known here: the state machine's own ARN would be a cycle, since its definition names this
   * function, and how CloudFormation makes names is not documented. Those of the account and region are allowed then.
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
      // Step Functions shows an encrypted input to those only who may decrypt it.
      ...(encryptionKey === undefined ? [] : [new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: [encryptionKey.keyArn] })]),
    );
  }
}
