import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent, AgentCoreServer, OtherRequest, RuntimeProps } from '../agentcore';
import { Assembly, SynthesizedStack, TemplateValues } from '../assembly';
import { answerCloudFormation, answerInvoke, answerPutEvents, AwsReply, InvokeProps, KeptFiles, ObjectStore, Parameters, Secrets } from '../aws';
import { EventRules } from './event-rules';
import { ExecutionEnded, Rule } from './events';
import { ExecutionRequests } from './execution-requests';
import { accessKeyOf, Authorizer } from '../iam/authorizer';
import { LocalFunction } from '../lambda';
import { runtimeConfiguration, RuntimeProperties } from './runtime-configuration';
import { answerCallback, Definition, ExecutionOptions, ExecutionResult, Executions, LocalExecution, LocalStateMachine, TaskCall, TaskError, TaskTokens } from '../stepfunctions';

export interface LocalDeploymentProps {
  /** Directory of a cloud assembly, such as `cdk.out`. */
  readonly assembly: string;
  /** @default - the only one there is */
  readonly stack?: string;
  /** Runtimes of the stack are made in it, and functions of the stack talk to it. */
  readonly server: AgentCoreServer;
  /** The agents of the runtimes: images are not built here. @default - no agent: invocations fail, commands work */
  readonly agent?: Agent | ((runtimeLogicalId: string) => Agent | undefined);
  /** Values of references other than those that are made here: `LogicalId` or `LogicalId.Attribute`. */
  readonly values?: Readonly<Record<string, string>>;
  /** The values of secrets, by the logical ID, the name, the ARN or the ARN without its suffix. @default - those that the template gives them */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Environment of the functions, beside their own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Service integrations other than Lambda's, by their resource, such as `arn:aws:states:::dynamodb:putItem`. */
  readonly integrations?: Readonly<Record<string, (parameters: unknown, task: TaskCall) => Promise<unknown>>>;
  /** Remembers executions. @default - for as long as the deployment is there */
  readonly executions?: Executions;
  /** Directory for what other services keep: events, metrics and objects. @default - a temporary directory, which is removed at the end */
  readonly files?: string;
  /** Hears of what functions write to their logs. */
  readonly onLog?: (functionLogicalId: string, line: string) => void;
  /** @default 'us-east-1' */
  readonly region?: string;
  /** @default '123456789012' */
  readonly account?: string;
}

export interface StartOptions extends ExecutionOptions {
  /** True if the caller tells event rules of the end. @default - they hear of it if a request starts or stops the execution */
  readonly tellsEnd?: boolean;
}

const TYPES = { RUNTIME: 'AWS::BedrockAgentCore::Runtime', FUNCTION: 'AWS::Lambda::Function', STATE_MACHINE: 'AWS::StepFunctions::StateMachine', RULE: 'AWS::Events::Rule' } as const;
const LAMBDA_INVOKE = 'arn:aws:states:::lambda:invoke';

/**
 * A synthesized stack on this machine: its state machines are interpreted, its functions run from their own bundles in processes of
 * their own, and its runtimes are in an `AgentCoreServer`. Nothing that it does leaves the machine.
 *
 * It stays up between executions, which makes a series of them fast.
 */
export class LocalDeployment {
  static start(props: LocalDeploymentProps): LocalDeployment {
    return new LocalDeployment(Assembly.load(props.assembly).stack(props.stack), props);
  }

  readonly tokens = new TaskTokens();
  readonly executions: Executions;
  /** ARNs of the runtimes, by logical id. */
  readonly runtimes: ReadonlyMap<string, string>;
  /** Tracks which permissions the template's policies grant, and which were missing. */
  readonly authorizer: Authorizer;
  /** The files of what other services keep. */
  readonly files: KeptFiles;
  /** The event rules of the stack. */
  readonly events: EventRules;
  /** Starts an execution that a request asks for, if this is for its own starter to do. @default - it is started as it is asked for */
  starter?: (stateMachine: string, input: unknown, name?: string) => Promise<string> | undefined;
  private readonly requests: ExecutionRequests;
  private readonly objects: ObjectStore;
  private readonly parameters: Parameters;
  private readonly known: Map<string, string>;
  private readonly values: TemplateValues;
  private secrets: Secrets;
  private provided: Readonly<Record<string, string>> = {};
  private readonly functions = new Map<string, LocalFunction>();
  private readonly stateMachines = new Map<string, LocalStateMachine>();

  private constructor(readonly stack: SynthesizedStack, private readonly props: LocalDeploymentProps) {
    this.files = new KeptFiles(props.files ?? join(tmpdir(), `workbench-services-${randomUUID()}`));
    const rules = () => stack.ofType(TYPES.RULE).map((logicalId) => this.properties<Rule>(logicalId));
    this.events = new EventRules({ files: this.files, rules, invoke: (arn, event) => this.invoke(arn, event) });
    const known = this.known = new Map(Object.entries(props.values ?? {}));
    this.values = new TemplateValues(stack, { region: this.region, account: this.account, values: known });
    const { region, account, values, files } = this;
    this.secrets = this.secretsOf(props.secrets ?? {});
    this.objects = new ObjectStore({ stack, values, region, directory: files.artifacts });
    this.parameters = new Parameters({ stack, values, region, account, file: files.parameters });
    this.authorizer = new Authorizer(stack, this.values);
    props.server.authorize = (authorization, action, resources) => this.authorizer.refusalOfRequest(authorization, action, resources);
    this.executions = props.executions ?? new Executions();
    this.requests = new ExecutionRequests({
      executions: this.executions,
      stateMachines: () => stack.ofType(TYPES.STATE_MACHINE).map((logicalId) => (
        { logicalId, arn: this.values.text({ Ref: logicalId }), definition: () => this.definition(logicalId) })),
      start: async (logicalId, input, name) => this.starter?.(logicalId, input, name) ?? this.startExecution(logicalId, input, { name }).arn,
      notifyEnd: (detail) => this.notifyEnd(detail),
    });
    props.server.answer = (request) => this.answer(request);
    this.runtimes = new Map(stack.ofType(TYPES.RUNTIME).map((logicalId) => {
      const { arn, id, version } = props.server.createRuntime(this.runtimeProps(logicalId));
      for (const [key, value] of Object.entries({ '': id, '.AgentRuntimeArn': arn, '.AgentRuntimeId': id, '.AgentRuntimeVersion': version })) {
        if (!known.has(`${logicalId}${key}`)) known.set(`${logicalId}${key}`, value);
      }
      return [logicalId, arn];
    }));
  }

  /** Provides more secrets, and more of the environment of functions, before one of them runs. */
  provide({ environment, secrets }: Required<Pick<LocalDeploymentProps, 'environment' | 'secrets'>>): void {
    this.provided = { ...this.provided, ...environment };
    this.secrets = this.secretsOf({ ...this.props.secrets, ...secrets });
  }

  /** Starts an execution. @param stateMachine its logical id or the beginning of it; not needed if there is only one */
  startExecution(stateMachine: string | undefined, input: unknown, options: StartOptions = {}): LocalExecution {
    const execution = this.stateMachine(this.stack.find(TYPES.STATE_MACHINE, stateMachine)).start(input, options);
    if (!options.tellsEnd) this.requests.track(execution, input);
    return execution;
  }

  /** Runs an execution to its end, whatever that is. */
  async run(stateMachine: string | undefined, input: unknown, options?: ExecutionOptions): Promise<ExecutionResult> {
    return this.startExecution(stateMachine, input, options).result;
  }

  /** Returns the definition of a state machine, with values for its references. */
  definition(logicalId: string): Definition {
    return this.values.json(logicalId, 'DefinitionString');
  }

  /** Properties of a resource, with values for their references. */
  properties<T>(logicalId: string): T {
    return this.values.resolve(this.stack.resource(logicalId)!.Properties) as T;
  }

  /** Returns the value of a pseudo parameter, such as `AWS::StackId`. */
  pseudoParameter(name: string): string {
    return this.values.text({ Ref: name });
  }

  /** From now on references to an attribute come to this, as when a custom resource has answered. */
  setAttribute(logicalId: string, attribute: string, value: string): void {
    this.known.set(`${logicalId}.${attribute}`, value);
  }

  /**
   * Invokes a function on behalf of another resource.
   * @param role the property of that resource which names its role
   */
  async invokeAs(logicalId: string, role: 'Role' | 'RoleArn', functionArn: string, event: unknown): Promise<unknown> {
    const refusal = this.authorizer.refusal(logicalId, role, 'lambda:InvokeFunction', [functionArn]);
    if (refusal !== undefined) throw new TaskError('Lambda.AWSLambdaException', refusal);
    return this.invoke(functionArn, event);
  }

  /** A function, to ask it or to kill it. @param name its logical id or the beginning of it; not needed if there is only one */
  function(name?: string): LocalFunction {
    const logicalId = this.stack.find(TYPES.FUNCTION, name);
    const made = this.functions.get(logicalId) ?? this.makeFunction(logicalId);
    this.functions.set(logicalId, made);
    return made;
  }

  /** Tells the stack's event rules that an execution has ended, as EventBridge would, and waits for what they call. */
  async notifyEnd(detail: ExecutionEnded): Promise<void> {
    await this.events.deliver({ 'source': 'aws.states', 'detail-type': 'Step Functions Execution Status Change', detail });
  }

  /** Does the work of a task, for its state machine or another interpreter of it. @param stateMachine its logical id */
  async perform(stateMachine: string, parameters: unknown, task: TaskCall): Promise<unknown> {
    if (task.resource.startsWith('arn:aws:lambda:')) return this.invokeAs(stateMachine, 'RoleArn', task.resource, parameters);
    if (task.resource === LAMBDA_INVOKE) {
      const { FunctionName: name, Payload: payload } = parameters as { readonly FunctionName: string; readonly Payload?: unknown };
      return { ExecutedVersion: '$LATEST', Payload: await this.invokeAs(stateMachine, 'RoleArn', name, payload ?? {}), StatusCode: 200 };
    }
    const integration = this.props.integrations?.[task.resource];
    if (!integration) throw new Error(`state "${task.stateName}" needs ${task.resource}, which a rehearsal does not have: give it in "integrations"`);
    return integration(parameters, task);
  }

  /** Ends all processes of functions. The server is not ours to end. */
  async close(): Promise<void> {
    await this.requests.close();
    await Promise.all([...this.functions.values()].map((made) => made.kill()));
    await this.events.settled();
    if (this.props.files === undefined) rmSync(this.files.directory, { recursive: true, force: true });
  }

  /** The server that has its runtimes. */
  get server(): AgentCoreServer {
    return this.props.server;
  }

  /** Answers requests to services other than AgentCore. */
  private answer(request: OtherRequest): Promise<AwsReply> | AwsReply | undefined {
    const { target = '', body } = request;
    const { region, account } = this;
    const refusal = (action: string, resource: string) => this.authorizer.refusalOfRequest(request.authorization, action, [resource]);
    return answerCallback(this.tokens, { target, body }, refusal) ?? this.executions.answer({ target, body }, refusal)
      ?? this.requests.answer(request, refusal) ?? answerCloudFormation(request, this.stack, this.values, refusal)
      ?? this.secrets.answer(request, refusal) ?? answerPutEvents(request, { region, account, events: this.events }, refusal)
      ?? this.parameters.answer(request, refusal) ?? this.objects.answer(request, refusal)
      ?? answerInvoke(request, this.invocations, refusal);
  }

  private secretsOf(given: Readonly<Record<string, string>>): Secrets {
    return new Secrets({ stack: this.stack, values: this.values, region: this.region, account: this.account, given });
  }

  private get invocations(): InvokeProps {
    const { region, account } = this;
    const isNamed = (logicalId: string, name: string) => name === logicalId || name === this.stack.resource(logicalId)?.Properties?.FunctionName;
    return {
      region,
      account,
      find: (name) => this.stack.ofType(TYPES.FUNCTION).find((logicalId) => isNamed(logicalId, name)),
      invoke: async (logicalId, event) => this.function(logicalId).invoke(event),
    };
  }

  private get region(): string {
    return this.props.region ?? 'us-east-1';
  }

  private get account(): string {
    return this.props.account ?? '123456789012';
  }

  private stateMachine(logicalId: string): LocalStateMachine {
    const made = this.stateMachines.get(logicalId) ?? new LocalStateMachine({
      name: logicalId,
      arn: this.values.text({ 'Fn::GetAtt': [logicalId, 'Arn'] }),
      definition: this.definition(logicalId),
      tokens: this.tokens,
      executions: this.executions,
      onTask: (parameters, task) => this.perform(logicalId, parameters, task),
    });
    this.stateMachines.set(logicalId, made);
    return made;
  }

  private async invoke(functionArn: string, event: unknown): Promise<unknown> {
    const [, name] = /(?:^|:function:)([^:]+)(?::[^:]+)?$/.exec(functionArn)!;
    const outcome = await this.function(name).invoke(event);
    if ('result' in outcome) return outcome.result;
    throw new TaskError(outcome.failure.errorType, JSON.stringify(outcome.failure));
  }

  private makeFunction(logicalId: string): LocalFunction {
    const { server, environment, onLog } = this.props;
    const properties = this.properties<{
      readonly Code: { readonly S3Key?: string };
      readonly Handler?: string;
      readonly Runtime?: string;
      readonly Timeout?: number;
      readonly MemorySize?: number;
      readonly Environment?: { readonly Variables?: Record<string, string> };
    }>(logicalId);
    if (!properties.Runtime?.startsWith('nodejs') || properties.Code.S3Key === undefined) {
      throw new Error(`function ${logicalId} is not Node.js code in an asset, which is all that a rehearsal can run`);
    }
    return new LocalFunction({
      name: logicalId,
      arn: this.values.text({ 'Fn::GetAtt': [logicalId, 'Arn'] }),
      directory: this.stack.assetPath(properties.Code.S3Key),
      handler: properties.Handler!,
      timeoutSeconds: properties.Timeout,
      memorySize: properties.MemorySize,
      region: this.region,
      accessKeyId: accessKeyOf(logicalId),
      environment: {
        ...properties.Environment?.Variables,
        // Set for all services: the server refuses those that it does not know, and nothing is sent to AWS.
        AWS_ENDPOINT_URL: server.endpoint,
        ...environment,
        ...this.provided,
      },
      onLog: (line) => {
        this.files.hearLog(line);
        onLog?.(logicalId, line);
      },
    });
  }

  private runtimeProps(logicalId: string): RuntimeProps {
    const { agent } = this.props;
    const { AgentRuntimeName: name, Tags, ...properties } = this.properties<RuntimeProperties>(logicalId);
    const tags = Object.fromEntries(Object.entries(Tags ?? {}).map(([key, value]) => [key, String(value)]));
    const program = typeof agent === 'function' ? agent(logicalId) : agent;
    return { name, configuration: runtimeConfiguration(properties), tags, agent: program, accessKeyId: accessKeyOf(logicalId) };
  }
}
