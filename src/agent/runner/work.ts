import { statSync } from 'node:fs';
import { Invocation, InvocationError } from './invocation';
import { Environment } from './programs/program';
import { turn } from './turn';
import { AgentDefinition, AgentReport } from '../constants';

/** A client that follows a turn. */
export interface Audience {
  progress(text: string): void;
}

/** A turn that is at work. */
interface Current {
  readonly key: string;
  readonly audiences: Set<Audience>;
  readonly report: Promise<AgentReport>;
}

/** The turn that is at work in a session, of which there is at most one. */
export class Work {
  /** The time at which the state last changed, in seconds. The service counts the time without work from here, so a ping must not change it. */
  public changedAt = now();
  private current?: Current;

  constructor(
    private readonly definition: AgentDefinition,
    private readonly environment: Environment,
    private readonly signal?: AbortSignal,
    private readonly temporary?: string,
  ) {}

  public get isBusy(): boolean {
    return this.current !== undefined;
  }

  /** Waits until no turn is at work. */
  public async idle(): Promise<void> {
    await this.current?.report;
  }

  /** Performs a turn, or joins the one at work if it is the same. */
  public perform(invocation: Invocation, audience: Audience): Promise<AgentReport> {
    const { prompt, taskId, round, workspace, instructions } = invocation;
    const key = JSON.stringify([taskId, round, workspace, prompt, instructions]);
    if (this.current !== undefined) return this.join(this.current, key, audience);
    const directory = workspace ?? process.cwd();
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
      throw new InvocationError(400, `"workspace" must be the path of a directory, and ${directory} is not: clone the repository before the turn`);
    }
    const audiences = new Set([audience]);
    const progress = (text: string) => {
      process.stdout.write(`${text}\n`);
      for (const one of audiences) one.progress(text);
    };
    const errors = (text: string) => void process.stderr.write(`${text}\n`);
    const request = { prompt, taskId, instructions, directory, environment: this.environment, temporary: this.temporary };
    const report = turn(this.definition, request, { progress, errors }, this.signal).finally(() => {
      this.current = undefined;
      this.changedAt = now();
    });
    this.current = { key, audiences, report };
    this.changedAt = now();
    return report;
  }

  private join(current: Current, key: string, audience: Audience): Promise<AgentReport> {
    if (current.key !== key) {
      throw new InvocationError(409, 'a turn is at work in this session: wait until GET /ping answers Healthy, or use another session');
    }
    current.audiences.add(audience);
    return current.report;
  }
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}
