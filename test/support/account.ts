import type { Stack } from 'aws-cdk-lib';
import { awsEnvironment, setAwsEnvironment } from './moto';
import { RehearsedLoop } from './rehearsed-loop';
import type { AgentHandler } from '../../rehearsal/agentcore';
import type { Rehearsal, RehearsalProps } from '../../rehearsal/rehearsal';
import { CodingLoopProps, GitRepository } from '../../src';
import { ENVIRONMENT } from '../../src/jobs/constants';

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

  private readonly restore: () => void;
  private readonly backoff = process.env[ENVIRONMENT.BACKOFF_SECONDS];

  private constructor(readonly loop: RehearsedLoop, readonly rehearsal: Rehearsal, backoffSeconds: number) {
    this.restore = setAwsEnvironment(awsEnvironment(rehearsal.server.endpoint));
    process.env[ENVIRONMENT.BACKOFF_SECONDS] = `${backoffSeconds}`;
  }

  async close(): Promise<void> {
    this.restore();
    if (this.backoff === undefined) delete process.env[ENVIRONMENT.BACKOFF_SECONDS];
    else process.env[ENVIRONMENT.BACKOFF_SECONDS] = this.backoff;
    await this.loop.close();
  }
}
