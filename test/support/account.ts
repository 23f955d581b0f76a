import type { Stack } from 'aws-cdk-lib';
import { awsEnvironment, setAwsEnvironment } from './moto';
import { RehearsedLoop } from './rehearsed-loop';
import type { AgentHandler } from '../../rehearsal/agentcore';
import type { Rehearsal, RehearsalProps } from '../../rehearsal/rehearsal';
import { CodingLoopProps, GitRepository } from '../../src';
import { ENVIRONMENT } from '../../src/jobs/constants';

/** A loop of a rehearsal, which the command line finds as if it were in an account. */
export class AccountFixture {
  static async start(
    agent: AgentHandler, loop: Partial<CodingLoopProps> | ((stack: Stack) => Partial<CodingLoopProps>) = {}, props: Partial<RehearsalProps> = {},
  ): Promise<AccountFixture> {
    const rehearsed = new RehearsedLoop();
    const assembly = rehearsed.synth({
      loop: (stack) => ({ repository: GitRepository.fromUrl('https://example.com/app.git'), ...typeof loop === 'function' ? loop(stack) : loop }),
    });
    return new AccountFixture(rehearsed, await rehearsed.start(agent, { assembly, ...props }));
  }

  private readonly restore: () => void;
  private readonly backoff = process.env[ENVIRONMENT.BACKOFF_SECONDS];

  private constructor(readonly loop: RehearsedLoop, readonly rehearsal: Rehearsal) {
    this.restore = setAwsEnvironment(awsEnvironment(rehearsal.server.endpoint));
    process.env[ENVIRONMENT.BACKOFF_SECONDS] = '0.1';
  }

  async close(): Promise<void> {
    this.restore();
    if (this.backoff === undefined) delete process.env[ENVIRONMENT.BACKOFF_SECONDS];
    else process.env[ENVIRONMENT.BACKOFF_SECONDS] = this.backoff;
    await this.loop.close();
  }
}
