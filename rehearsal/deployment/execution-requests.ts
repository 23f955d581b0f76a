import { ExecutionEnded, executionEnded } from './events';
import type { AwsReply, AwsRequest, RefusalOf } from '../aws';
import type { Definition, ExecutionResult, Executions, LocalExecution } from '../stepfunctions';

export interface ExecutionRequestsProps {
  readonly executions: Executions;
  /** Returns the state machines of the stack. */
  readonly stateMachines: () => readonly { readonly logicalId: string; readonly arn: string; readonly definition: () => Definition }[];
  /** Starts an execution. Returns its ARN. */
  readonly start: (logicalId: string, input: unknown, name: string | undefined) => Promise<string>;
  /** Tells event rules of an end. */
  readonly notifyEnd: (detail: ExecutionEnded) => Promise<void>;
}

interface Request {
  readonly stateMachineArn?: string;
  readonly executionArn?: string;
  readonly name?: string;
  readonly input?: string;
  readonly error?: string;
  readonly cause?: string;
}

type Operation = (request: Request) => Promise<AwsReply> | AwsReply;

/** The role that a description names; no request is made with it. */
const ROLE = 'arn:aws:iam::123456789012:role/Role';

/** Starts, stops and describes, by requests to Step Functions. Answers are in its wire format. */
export class ExecutionRequests {
  private readonly createdAt = Date.now() / 1_000;
  /** The executions in progress whose end is not reported otherwise. */
  private readonly untold = new Map<string, { readonly input: string; readonly result: Promise<ExecutionResult> }>();
  /** The executions that requests have started. */
  private readonly started = new Set<string>();
  /** Ends that are being told. */
  private readonly telling = new Set<Promise<void>>();
  private readonly operations: { readonly [name: string]: { readonly run: Operation; readonly resource: (request: Request) => string | undefined } };

  constructor(private readonly props: ExecutionRequestsProps) {
    const ofMachine = ({ stateMachineArn }: Request) => stateMachineArn;
    this.operations = {
      StartExecution: { run: (request) => this.start(request), resource: ofMachine },
      StopExecution: { run: (request) => this.stop(request), resource: ({ executionArn }) => executionArn },
      DescribeStateMachine: { run: (request) => this.describe(request), resource: ofMachine },
      ListStateMachines: { run: () => this.list(), resource: () => '*' },
    };
  }

  /** Remembers an execution, so that event rules receive its end if a request stops it. */
  track({ arn, result }: LocalExecution, input: unknown): void {
    this.untold.set(arn, { input: JSON.stringify(input ?? {}), result });
    void result.catch(() => undefined).then(() => this.untold.delete(arn));
  }

  /** Answers a request; `undefined` for any that is none of these. */
  answer({ target = '', body }: AwsRequest, refusal: RefusalOf): Promise<AwsReply> | AwsReply | undefined {
    const [, name = ''] = /^AWSStepFunctions\.(\w+)$/.exec(target) ?? [];
    if (!Object.keys(this.operations).includes(name)) return undefined;
    const request = JSON.parse(body.toString('utf8')) as Request;
    const { run, resource } = this.operations[name];
    const arn = resource(request);
    if (arn === undefined) return failure('ValidationException', `${name} needs an ARN`);
    const refused = refusal(`states:${name}`, arn);
    return refused === undefined ? run(request) : failure('AccessDeniedException', refused);
  }

  /** Stops what requests have started, and waits for what hears of it. */
  async close(): Promise<void> {
    this.started.forEach((arn) => this.props.executions.stop(arn));
    await Promise.all([...this.telling]);
  }

  private async start({ stateMachineArn, name, input = '{}' }: Request): Promise<AwsReply> {
    const { executions, stateMachines, start } = this.props;
    const machine = stateMachines().find(({ arn }) => arn === stateMachineArn);
    if (machine === undefined) return failure('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
    const parsed = json(input);
    if (parsed === undefined) return failure('InvalidExecutionInput', 'Invalid State Machine Execution Input: it is not valid JSON');
    const known = name === undefined ? undefined : executions.find(`${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`);
    const isSame = known?.status === 'RUNNING' && JSON.stringify(json(known.input)?.value) === JSON.stringify(parsed.value);
    if (known !== undefined && !isSame) return failure('ExecutionAlreadyExists', `Execution Already Exists: '${known.executionArn}'`);
    const executionArn = known?.executionArn ?? await start(machine.logicalId, parsed.value, name);
    const started = this.untold.get(executionArn);
    if (known === undefined && started) this.tell(executionArn, started);
    this.started.add(executionArn);
    return { status: 200, body: { executionArn, startDate: executions.find(executionArn)?.startDate } };
  }

  /** An execution that has ended stays as it is. */
  private stop({ executionArn = '', error, cause }: Request): AwsReply {
    const { executions } = this.props;
    const known = executions.find(executionArn);
    if (known === undefined) return failure('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    const started = this.untold.get(executionArn);
    executions.stop(executionArn, { error, cause });
    if (started) this.tell(executionArn, started);
    return { status: 200, body: { stopDate: known.stopDate ?? Date.now() / 1_000 } };
  }

  /** Tells the end of an execution once, unless it has done its work. */
  private tell(executionArn: string, { input, result }: { readonly input: string; readonly result: Promise<ExecutionResult> }): void {
    this.untold.delete(executionArn);
    const told = result.then(async (ended) => {
      if (ended.status !== 'SUCCEEDED') await this.props.notifyEnd(executionEnded(executionArn, input, ended));
    }).catch(() => undefined).then(() => void this.telling.delete(told));
    this.telling.add(told);
  }

  private describe({ stateMachineArn }: Request): AwsReply {
    const machine = this.props.stateMachines().find(({ arn }) => arn === stateMachineArn);
    if (machine === undefined) return failure('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
    return { status: 200, body: { ...this.summary(machine.arn), status: 'ACTIVE', definition: JSON.stringify(machine.definition()), roleArn: ROLE } };
  }

  private list(): AwsReply {
    return { status: 200, body: { stateMachines: this.props.stateMachines().map(({ arn }) => this.summary(arn)) } };
  }

  private summary(stateMachineArn: string): object {
    return { stateMachineArn, name: stateMachineArn.split(':').pop(), type: 'STANDARD', creationDate: this.createdAt };
  }
}

function json(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function failure(type: string, message: string): AwsReply {
  return { status: 400, body: { __type: type, message } };
}
