import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentImage, AgentRuntime, AgentTurn, CodingAgent, CodingLoop, type CodingLoopProps, Gate, GitRepository, Mount, ProtectedPaths } from '../../src';
import { loopInstructions } from '../../src/loop/loop-instructions';
import { LOOP_LIMITS } from '../../src/loop/steps/constants';
import { statesOf } from '../support/definitions';
import { IMAGE, messageOf, newStack } from '../support/stacks';

const gates = [Gate.command('test', 'npm test')];

function statesWith(props: Partial<CodingLoopProps>) {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates, ...props });
  return statesOf(stack);
}

const requestOf = (states: ReturnType<typeof statesWith>, state: string) =>
  (states[state].Parameters?.Payload ?? states[state].Parameters) as { readonly [name: string]: unknown };

const turnOf = (props: Partial<CodingLoopProps>) => requestOf(statesWith(props), 'Ask the agent');

const promptBytesOf = (props: Partial<CodingLoopProps>) => (JSON.stringify(statesWith(props)).match(/"promptBytes":(\d+)/) ?? [])[1];

describe('the turn of an agent in a loop', () => {
  test('runs the runner, says that it ends with a report, and has the loop\'s instructions', () => {
    const protectedPaths = ProtectedPaths.of(['test/**']);
    const bootstrap = ['npm ci'];
    expect(turnOf({ turn: CodingAgent.codex().turn({ timeout: Duration.minutes(30) }), protectedPaths, bootstrap })).toMatchObject({
      command: 'workbench-agent turn', timeoutSeconds: 1_800, agent: true, instructions: loopInstructions({ gates, bootstrap, protectedPaths }),
    });
  });

  test('takes the bytes of its instructions and of its reports from the prompt', () => {
    const large = { gates: [Gate.command('test', 'x'.repeat(30_000))] }; // without it, the prompt has its largest size either way
    const bytes = [AgentTurn.command('workbench-agent turn'), CodingAgent.codex().turn()].map((turn) => Number(promptBytesOf({ ...large, turn })));
    expect(bytes[0] - bytes[1]).toBe(Buffer.byteLength(`,${JSON.stringify(loopInstructions(large))}`) + LOOP_LIMITS.agentBytes);
  });

  test('is not part of a loop without an agent', () => {
    for (const turn of [undefined, AgentTurn.command('x'), AgentTurn.callback()]) {
      expect(turnOf({ turn })).not.toHaveProperty('agent');
      expect(turnOf({ turn })).not.toHaveProperty('instructions');
    }
  });

  test('is that of a loop whose image has the agent and no other server, unless another turn is given', () => {
    const turnWith = (artifact: AgentRuntimeArtifact, turn?: AgentTurn) => {
      const stack = newStack();
      const runtime = new Runtime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: artifact });
      new CodingLoop(stack, 'Loop', { runtime, mountPath: '/mnt/workspace', repository: GitRepository.fromUrl('https://example.com/a.git'), gates, turn });
      return requestOf(statesOf(stack), 'Ask the agent');
    };
    const agent = CodingAgent.claudeCode();
    expect(turnWith(AgentImage.forAgent(agent))).toMatchObject({ command: 'workbench-agent turn', timeoutSeconds: 3_600, agent: true });
    expect(turnWith(AgentImage.forAgent(agent), AgentTurn.invoke())).not.toHaveProperty('command');
    const directory = mkdtempSync(join(tmpdir(), 'own-server-'));
    expect(turnWith(AgentImage.fromDirectory(directory, { agent, command: ['node', 'server.mjs'] }))).not.toHaveProperty('command');
    rmSync(directory, { recursive: true });
  });

  test('fails with a timeout that a session does not have', () => {
    expect(messageOf(() => statesWith({ turn: CodingAgent.codex().turn({ timeout: Duration.hours(9) }) }))).toContain('"turn.timeout" must be 1 to 28800 seconds');
  });
});
