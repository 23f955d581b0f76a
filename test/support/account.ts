import type { Stack } from 'aws-cdk-lib';
import { AwsBetween } from './aws-between';
import { awsEnvironment, setAwsEnvironment } from './moto';
import { RehearsedLoop } from './rehearsed-loop';
import type { AgentHandler } from '../../rehearsal/agentcore';
import type { Rehearsal, RehearsalProps } from '../../rehearsal/rehearsal';
import { CodingLoopProps, GitRepository } from '../../src';
import { ENVIRONMENT } from '../../src/jobs/constants';

/** An agent that solves the task in its second round, or as `answer` says. With the prompt `wait`, it first waits for `release`. */
export class HeldAgent {
  private waits = Promise.resolve();
  private letGo?: () => void;

  constructor(private readonly answer = (round: number) => 41 + round) {}

  /** Returns the agent. */
  handler(): AgentHandler {
    return async (request, session) => {
      const { workspace, round, prompt } = request.json() as { readonly workspace: string; readonly round: number; readonly prompt: string };
      if (prompt === 'wait') await this.waits;
      await session.exec(`echo ${this.answer(round)} > answer`, { workingDirectory: workspace });
      return { done: true };
    };
  }

  /** Lets each turn with the prompt `wait` wait from now on. */
  hold(): void {
    this.waits = new Promise((done) => { this.letGo = done; });
  }

  /** Lets the turns that wait go on. */
  release(): void {
    this.letGo?.();
  }
}

/** A loop of a rehearsal, which the command line finds as if it were in an account. */
export class AccountFixture {
  /** @param backoffSeconds the back-off of the commands: one function's retry takes longer than a tenth of a second on a busy machine */
  static async start(
    agent: AgentHandler, loop: Partial<CodingLoopProps> | ((stack: Stack) => Partial<CodingLoopProps>) = {}, props: Partial<RehearsalProps> = {},
    backoffSeconds = 0.1,
  ): Promise<AccountFixture> {
    const rehearsed = new RehearsedLoop();
    const assembly = rehearsed.synth({
      loop: (stack) => ({ repository: GitRepository.fromUrl('https://example.com/app.git'), ...typeof loop === 'function' ? loop(stack) : loop }),
    });
    return new AccountFixture(rehearsed, await rehearsed.start(agent, { assembly, ...props }), backoffSeconds);
  }

  private between?: AwsBetween;
  private readonly restore: () => void;
  private readonly backoff = process.env[ENVIRONMENT.BACKOFF_SECONDS];

  private constructor(readonly loop: RehearsedLoop, readonly rehearsal: Rehearsal, backoffSeconds: number) {
    this.restore = setAwsEnvironment(awsEnvironment(rehearsal.server.endpoint));
    process.env[ENVIRONMENT.BACKOFF_SECONDS] = `${backoffSeconds}`;
  }

  /** Puts a server that changes answers of AWS before the commands that start after this. */
  async intercept(): Promise<AwsBetween> {
    this.between = await AwsBetween.start(this.rehearsal.server.endpoint);
    setAwsEnvironment(awsEnvironment(this.between.endpoint));
    return this.between;
  }

  async close(): Promise<void> {
    this.restore();
    await this.between?.close();
    if (this.backoff === undefined) delete process.env[ENVIRONMENT.BACKOFF_SECONDS];
    else process.env[ENVIRONMENT.BACKOFF_SECONDS] = this.backoff;
    await this.loop.close();
  }
}
