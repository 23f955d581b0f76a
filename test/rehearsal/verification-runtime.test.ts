import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentRuntime, CodingLoopProps, Verification } from '../../src';
import { RehearsedLoop } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

const rehearsed = new RehearsedLoop();
afterAll(() => rehearsed.close());

test('a change is verified in a session of another runtime, without session storage, and committed there', async () => {
  let loop: Partial<CodingLoopProps> | undefined;
  const assembly = rehearsed.synth({
    runtime: (stack) => {
      const runtime = new AgentRuntime(stack, 'Judge', {
        runtimeName: 'judge',
        agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/judge:1'),
      });
      loop = { verification: Verification.inFreshSession({ runtime }) };
      return {};
    },
    get loop() {
      return loop;
    },
  });
  const rehearsal = await rehearsed.start(async (request, session) => {
    await session.exec('echo 42 > answer', { workingDirectory: (request.json() as { workspace: string }).workspace });
    return { done: true };
  }, { assembly });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'task-1' });
  expect(record).toMatchObject({ outcome: 'COMMITTED', output: { verified: true, verification: { stopped: true } }, missingPermissions: [] });
  const [session] = record.output!.verification!.sessions;
  const calls = rehearsal.server.calls.all.filter(({ sessionId }) => sessionId === session);
  expect(calls.every(({ runtime }) => runtime?.includes('judge'))).toBe(true);
  expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(['InvokeAgentRuntimeCommand', 'StopRuntimeSession']));
});
