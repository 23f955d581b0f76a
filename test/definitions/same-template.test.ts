import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as fc from 'fast-check';
import {
  AgentImage, AgentRuntime, AgentTurn, CodingLoop, Command, Gate, GitRepository, InvokeAgent, Mount, RunBudget, RunCommand, RuntimeRollout, SmokeTest,
  StopSession,
} from '../../src';

/** An agent with its own Dockerfile, which may have any build arguments. */
const agent = mkdtempSync(join(tmpdir(), 'agent-'));
afterAll(() => rmSync(agent, { recursive: true }));
writeFileSync(join(agent, 'Dockerfile'), 'FROM public.ecr.aws/docker/library/node:24-slim\nUSER 1000\nCMD ["node", "server.mjs"]\n');

const SESSION = 'a-session-of-more-than-33-characters';
const KEYS = ['B', 'a', 'A', 'b_1', 'Z9', 'z'] as const;
type Order = readonly (typeof KEYS[number])[];

/** Each price of a budget, by one of these keys. */
const PRICES = { B: { vcpuHour: 1 }, a: { gbHour: 1 }, A: { thousandTransitions: 1 }, b_1: { lambdaGbSecond: 1 }, Z9: { millionRequests: 1 }, z: { asOf: '2026-11' } };

/** Uses every prop that takes a map from the user, with the keys of each map in this order. */
function templates(order: Order): string {
  const map = <T>(value: T) => Object.fromEntries(order.map((key) => [key, value]));
  const nested = map([map('x'), { more: map(1) }]);
  const directory = mkdtempSync(join(tmpdir(), 'same-template-'));
  try {
    const app = new App({ outdir: directory, analyticsReporting: false });
    const stack = new Stack(app, 'Stack');
    const runtime = new AgentRuntime(stack, 'Agent', {
      agentRuntimeArtifact: AgentImage.fromDirectory(agent, { buildArgs: map('x'), buildSecrets: map('src=x'), miseSettings: undefined }),
      mounts: [Mount.sessionStorage('/mnt/workspace')],
      environmentVariables: map('x'),
      tags: map('x'),
    });
    const rollout = new RuntimeRollout(stack, 'Rollout', { runtime, smokeTests: [SmokeTest.invoke(nested)] });
    new CodingLoop(stack, 'Loop', {
      runtime,
      endpoint: rollout.endpoint,
      repository: GitRepository.fromInput(),
      environment: map('x'),
      turn: AgentTurn.invoke(),
      budget: RunBudget.of({ usd: 1, prices: Object.assign({}, ...order.map((key) => PRICES[key])) }),
      gates: [Gate.command('test', 'true', { environment: map('x') })],
    });
    const result = { resultSelector: nested, assign: nested };
    const jsonPath = new InvokeAgent(stack, 'Ask', { runtime, sessionId: SESSION, payload: sfn.TaskInput.fromObject(nested), ...result })
      .next(new RunCommand(stack, 'Run', { runtime, sessionId: SESSION, command: Command.shell('true'), environment: map('x') }))
      .next(new StopSession(stack, 'Stop', { runtime, sessionId: SESSION, ...result }));
    new sfn.StateMachine(stack, 'JsonPath', { definitionBody: sfn.DefinitionBody.fromChainable(jsonPath) });
    const outputs = { outputs: nested, assign: nested };
    const jsonata = InvokeAgent.jsonata(stack, 'Ask in JSONata', { runtime, sessionId: SESSION, payload: sfn.TaskInput.fromObject(nested), ...outputs })
      .next(RunCommand.jsonata(stack, 'Run in JSONata', { runtime, sessionId: SESSION, command: Command.shell('true'), environment: map('x'), ...outputs }))
      .next(StopSession.jsonata(stack, 'Stop in JSONata', { runtime, sessionId: SESSION, ...outputs }));
    new sfn.StateMachine(stack, 'Jsonata', { definitionBody: sfn.DefinitionBody.fromChainable(jsonata) });
    return JSON.stringify(app.synth().getStackByName('Stack').template);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a template does not depend on the order of keys in props', () => {
  const first = templates(KEYS);
  expect(first).toContain('"b_1"');
  fc.assert(fc.property(fc.shuffledSubarray([...KEYS], { minLength: KEYS.length }), (order) => {
    expect(templates(order) === first).toBe(true);
  }), { numRuns: 5, examples: [[[...KEYS].reverse()]] });
});
