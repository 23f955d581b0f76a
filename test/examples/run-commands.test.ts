import { join } from 'node:path';
import { AskAndCheckStack } from '../../examples/run-commands/stack';
import type { CommandMode } from '../../rehearsal/agentcore';
import { newSessionId } from '../support/agentcore';
import { DeploymentFixture } from '../support/deployments';

/** The example's own state machine, agent and function; only AWS is replaced. */
const start = (commandMode: CommandMode) => DeploymentFixture.start((app) => new AskAndCheckStack(app, 'AskAndCheck'), {
  agent: { command: ['node', join(__dirname, '../../examples/run-commands/agent/server.mjs')], workingDirectory: '/' },
}, { commandMode });

let local: DeploymentFixture;
beforeAll(async () => {
  local = await start('strict');
});
afterAll(() => local.close());

async function run(prompt: string, check: string[], { deployment, server } = local) {
  const id = newSessionId();
  const visited: string[] = [];
  const result = await deployment.run(undefined, { session: { id }, prompt, check }, {
    retryDelay: 0,
    onEvent: (event) => {
      if (event.type === 'StateEntered') visited.push(event.state.name);
    },
  });
  const calls = server.calls.all.filter((call) => call.sessionId === id).map(({ operation }) => operation);
  return { result, visited, calls };
}

describe('the example run-commands', () => {
  test('succeeds when the check passes, and stops the session', async () => {
    const { result, visited, calls } = await run('write answer.txt: it\'s "42"', ['grep', '-q', 'it\'s "42"', '/mnt/workspace/answer.txt']);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { turn: { reply: { said: 'I wrote answer.txt' } }, checked: { verdict: 'PASSED', exitCode: 0 } } });
    expect(visited).toEqual(['Ask the agent', 'Check: name the job', 'Check', 'Check: ended?', 'Passed?', 'Stop', 'Passed']);
    expect(calls).toEqual(['InvokeAgentRuntime', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession']);
  });

  test.each(['split', 'shell'] as const)('succeeds in each mode of interpreting commands: %s', async (mode) => {
    const other = await start(mode);
    const { result } = await run('write answer.txt: it\'s "42" $HOME', ['grep', '-q', '^it\'s "42" [$]HOME$', '/mnt/workspace/answer.txt'], other);
    await other.close();
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { checked: { verdict: 'PASSED' } } });
  });

  test('fails with the verdict and the output when the check does not pass, and stops the session', async () => {
    const { result, calls } = await run('write a.txt: a', ['cat', '/mnt/workspace/b.txt']);
    expect(result).toEqual({ status: 'FAILED', error: 'NotPassed', cause: 'FAILED: cat: /mnt/workspace/b.txt: No such file or directory\n' });
    expect(calls.at(-1)).toBe('StopRuntimeSession');
  });

  test('fails with the agent\'s own message when its turn fails, and stops the session', async () => {
    const { result, calls } = await run('do my taxes', ['true']);
    expect(result).toEqual({ status: 'FAILED', error: 'Broken', cause: expect.stringMatching(/^Workbench\.AgentFailed: .*I can only write files/s) });
    expect(calls).toEqual(['InvokeAgentRuntime', 'StopRuntimeSession']);
  });

  test('survives a function that dies while the command runs, without starting the command again', async () => {
    const script = 'echo started >>/mnt/workspace/starts; while [[ ! -e /mnt/workspace/go ]]; do sleep 0.02; done; [[ $(wc -l </mnt/workspace/starts) == 1 ]]';
    const killed = local.server.calls.next({ operation: 'InvokeAgentRuntimeCommand' }, 'responding').then(async (call) => {
      await local.deployment.function().kill();
      await local.fixture.command('while [[ ! -e /mnt/workspace/starts ]]; do sleep 0.02; done; touch /mnt/workspace/go', {
        agentRuntimeArn: [...local.deployment.runtimes.values()][0], runtimeSessionId: call.sessionId,
      });
    });
    const { result, visited } = await run('write a.txt: a', ['bash', '-c', script]);
    await killed;
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { checked: { verdict: 'PASSED' } } });
    expect(visited.slice(1, 6)).toEqual(['Check: name the job', 'Check', 'Check: attach', 'Check: ended?', 'Passed?']);
  });
});
