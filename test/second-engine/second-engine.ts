import { ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LocalDeployment } from '../../rehearsal/deployment';
import { ExecutionResult } from '../../rehearsal/stepfunctions';
import { DefinitionJson } from '../support/definitions';

/** The directory into which `npx projen second-engine` installs the packages that `requirements.txt` lists. */
const PACKAGES = join(__dirname, '../../node_modules/.cache/second-engine');

/** The outcome of one attempt of a task. */
export type Outcome = (
  | { readonly result: unknown }
  | { readonly failure: { readonly errorType: string; readonly errorMessage: string } }
  | { readonly timedOut: true }
) & {
  /** For a task with a callback, the callback after its function has returned. */
  readonly callback?: Callback;
};

export type Callback =
  | { readonly output: unknown }
  | { readonly error?: string; readonly cause?: string }
  /** The state timed out. */
  | { readonly timedOut: true }
  /** A heartbeat was missed. */
  | { readonly silent: true };

/** The outcome of an execution, and its states in the order in which they were entered. */
export interface Ended extends ExecutionResult {
  readonly entered: string[];
}

/** Performs the work of a task. */
export type TaskTry = (state: string, payload: unknown) => Outcome | Promise<Outcome>;

export interface StateMachine {
  readonly Id: string;
  readonly Name: string;
}

/** moto's interpreter of the Amazon States Language in a separate process: an independent implementation, based on how AWS behaves. */
export class SecondEngine {
  static start(): SecondEngine {
    return new SecondEngine(spawn('python3', [join(__dirname, 'engine.py')], { env: { ...process.env, PYTHONPATH: PACKAGES } }));
  }

  private readonly lines: AsyncIterator<string>;
  private stderr = '';

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.on('data', (data) => this.stderr += data);
  }

  /** Runs an execution to its end, one at a time. */
  async run(definition: object, machine: StateMachine, name: string, input: unknown, onTask: TaskTry): Promise<Ended> {
    const execution = { Id: `${machine.Id.replace(':stateMachine:', ':execution:')}:${name}`, Name: name };
    let message = await this.ask({ definition, machine, execution, input });
    while (!('status' in message)) message = await this.ask(await onTask(message.state as string, message.payload));
    return message as unknown as Ended;
  }

  async close(): Promise<void> {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }

  private async ask(message: object): Promise<{ readonly [key: string]: unknown }> {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the second engine has ended: ${this.stderr}`);
    return JSON.parse(value);
  }
}

/** Returns the definition that the only state machine of a deployment runs. */
export function definitionOf(deployment: LocalDeployment): DefinitionJson {
  return deployment.definition(deployment.stack.find('AWS::StepFunctions::StateMachine')) as unknown as DefinitionJson;
}
