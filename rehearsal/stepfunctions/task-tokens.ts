import { randomUUID } from 'node:crypto';
import { timeoutError } from './interpreter';
import { TaskError } from './task-error';

interface Waiting {
  readonly stateMachineArn?: string;
  readonly succeed: (output: unknown) => void;
  readonly fail: (error: TaskError) => void;
  readonly beat: () => void;
}

/** A callback came for a token that nobody waits for any more, as the service says it. */
export class TaskTimedOut extends Error {
  constructor() {
    super('Task Timed Out: \'Provided task does not exist anymore\'');
    this.name = 'TaskTimedOut';
  }
}

/** Tasks that wait for a callback, by their tokens. */
export class TaskTokens {
  private readonly waiting = new Map<string, Waiting>();

  next(): string {
    return randomUUID();
  }

  /** Settles by a callback, or fails by a silence that is longer than allowed: the service names both kinds of lateness the same. */
  wait(token: string, heartbeatSeconds?: number, stateMachineArn?: string): { readonly outcome: Promise<unknown>; readonly cancel: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const outcome = new Promise<unknown>((resolve, reject) => {
      const beat = () => {
        clearTimeout(timer);
        if (heartbeatSeconds !== undefined) timer = setTimeout(() => void timeoutError().then(reject), heartbeatSeconds * 1_000);
      };
      this.waiting.set(token, { stateMachineArn, succeed: resolve, fail: reject, beat });
      beat();
    });
    const cancel = () => {
      clearTimeout(timer);
      this.waiting.delete(token);
    };
    return { outcome: outcome.finally(cancel), cancel };
  }

  /** Returns the ARN of the state machine that waits for the token. */
  stateMachineOf(token: string): string | undefined {
    return this.waiting.get(token)?.stateMachineArn;
  }

  /** @param output as JSON */
  sendTaskSuccess(token: string, output: string): void {
    this.of(token).succeed(JSON.parse(output));
  }

  sendTaskFailure(token: string, error: string | null = null, cause: string | null = null): void {
    this.of(token).fail(new TaskError(error, cause));
  }

  sendTaskHeartbeat(token: string): void {
    this.of(token).beat();
  }

  private of(token: string): Waiting {
    const waiting = this.waiting.get(token);
    if (!waiting) throw new TaskTimedOut();
    return waiting;
  }
}
