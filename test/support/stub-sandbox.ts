import { Sandbox, SandboxDriver } from '../../rehearsal/sandbox';

/** MicroVMs without a machine, for agents in the test's own process. Commands exit with 0 and print nothing. */
export const STUB_SANDBOXES: SandboxDriver = {
  name: 'stub',
  start: async () => new StubSandbox(),
};

class StubSandbox implements Sandbox {
  public readonly warnings: readonly string[] = [];
  public killed = false;

  public async spawn() {
    return { ended: this.exec(), kill: () => {} };
  }

  public async exec() {
    return { exitCode: 0, sandboxKilled: this.killed };
  }

  public async agentPort(): Promise<never> {
    throw new Error('a stub runs no agent of its own');
  }

  public async kill() {
    this.killed = true;
  }
}
