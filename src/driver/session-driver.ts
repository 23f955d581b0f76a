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

/** Options of a `SessionDriver`. */
export interface SessionDriverProps {
  /**
   * How long the function's logs are kept. They hold session ids, verdicts and sizes, not a command's output or a prompt. When a call
   * fails, Lambda adds the error's message, which may quote the service, or the agent's own words about its failure.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Key that encrypts the function's logs.
   *
   * A key of this app gets the statement that CloudWatch Logs needs. The policy of an imported one has to have it: for the service
   * `logs.<region>.amazonaws.com`, the actions `kms:Decrypt`, `kms:Encrypt`, `kms:GenerateDataKey*` and `kms:ReEncrypt*`, under the
   * condition that `kms:EncryptionContext:aws:logs:arn` is like `arn:aws:logs:<region>:<account>:log-group:*`.
   *
   * @default - CloudWatch Logs' own encryption
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the log group when it leaves the stack.
   *
   * @default RemovalPolicy.DESTROY - nothing is in there that a run needs
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Memory of the function, in MiB. It also decides how much CPU it has to follow output with.
   *
   * @default 512
   */
  readonly memorySize?: number;
}

const SINGLETON_ID = 'AgentcoreWorkbenchSessionDriver';

/**
 * The function that talks to sessions: it invokes agents, runs commands as jobs and stops sessions, for the tasks of a stack.
 *
 * The tasks find the stack's driver by themselves, and make it if there is none. Make one of your own to choose its
 * encryption or retention, and hand it to the tasks.
 *
 * ## Limitations
 *
 * An invoke lasts at most 14 minutes and 40 seconds, since a function lives for 15. Commands outlive the function: they are
 * jobs in the session.
 */
export class SessionDriver extends Construct {
  /** The stack's driver, made when it is first asked for. */
  public static of(scope: Construct): SessionDriver {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(SINGLETON_ID) as SessionDriver | undefined) ?? new SessionDriver(stack, SINGLETON_ID);
  }

  /** The function. Called by state machines with a request of the driver's own. */
  public readonly function: lambda.IFunction;

  /** Where the function logs. */
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
   * Lets the driver do something with a runtime's sessions.
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
   * Lets the driver ask what executions of a state machine are under way, and what they were started with.
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
