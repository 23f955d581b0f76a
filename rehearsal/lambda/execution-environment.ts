import { ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BOOTSTRAP } from './bootstrap';

/** A failed invocation as Lambda reports it: Step Functions takes `errorType` as the error's name. */
export interface FunctionFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type FunctionOutcome = { readonly result: unknown } | { readonly failure: FunctionFailure };

export interface FunctionRequest {
  readonly event: unknown;
  readonly requestId: string;
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

interface Reply {
  readonly ready?: true;
  readonly result?: unknown;
  readonly failure?: FunctionFailure;
}

/** One process that serves one function, one request at a time, as one of Lambda's execution environments does. */
export class ExecutionEnvironment {
  /** Indicates that it can take a request. */
  idle = true;
  private readonly child: ChildProcess;
  private readonly exited: Promise<NodeJS.Signals | number | null>;
  private reply?: (reply: Reply) => void;

  constructor(environment: Readonly<Record<string, string>>, onLog: (line: string) => void) {
    this.child = spawn(process.execPath, ['-e', BOOTSTRAP], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true, // Ctrl-C is for the rehearsal, which ends its functions in order; they end by themselves if it dies
    });
    this.child.on('message', (message: Reply) => {
      if (message.ready === undefined) this.reply?.(message);
    });
    for (const output of [this.child.stdout!, this.child.stderr!]) createInterface(output).on('line', onLog);
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve(signal ?? code));
    });
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async invoke(request: FunctionRequest): Promise<FunctionOutcome> {
    this.idle = false;
    const timeout = setTimeout(() => this.child.kill('SIGKILL'), request.deadline - Date.now());
    const began = Date.now();
    try {
      const answered = new Promise<Reply>((resolve) => {
        this.reply = resolve;
      });
      this.child.send(request, () => undefined); // a process that has gone is seen by its exit
      const answer = await Promise.race([answered, this.exited]);
      if (typeof answer === 'object' && answer !== null) return answer.failure ? { failure: answer.failure } : { result: answer.result };
      if (Date.now() >= request.deadline) {
        const seconds = ((request.deadline - began) / 1_000).toFixed(2);
        return { failure: { errorType: 'Sandbox.Timedout', errorMessage: `RequestId: ${request.requestId} Error: Task timed out after ${seconds} seconds` } };
      }
      const how = typeof answer === 'number' ? `exit status ${answer}` : `signal: ${answer}`;
      return { failure: { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${request.requestId} Error: Runtime exited with error: ${how}` } };
    } finally {
      clearTimeout(timeout);
      this.reply = undefined;
      this.idle = true;
    }
  }

  /** Ends the process at once, as if its host had failed. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
