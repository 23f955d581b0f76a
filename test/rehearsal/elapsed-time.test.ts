import { BedrockAgentCoreClient, InvokeAgentRuntimeCommandCommand } from '@aws-sdk/client-bedrock-agentcore';
import type { AgentHandler } from '../../rehearsal/agentcore';
import type { Rehearsal } from '../../rehearsal/rehearsal';
import type { SessionDescription } from '../../rehearsal/run/record';
import { shellLine } from '../support/agentcore';
import { RehearsedLoop } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

/** Shows what a user sees who inspects a session, as in an account. */
async function output({ server }: Rehearsal, { id, runtimeArn }: SessionDescription, command: string): Promise<string> {
  const client = new BedrockAgentCoreClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  try {
    const { stream } = await client.send(new InvokeAgentRuntimeCommandCommand({
      agentRuntimeArn: runtimeArn, runtimeSessionId: id, body: { command: shellLine(command) },
    }));
    let text = '';
    for await (const { chunk } of stream!) text += chunk?.contentDelta?.stdout ?? '';
    return text.trim();
  } finally {
    client.destroy();
  }
}

/** An agent that prints what it finds, then answers and leaves notes: one in the workspace, one on the session's own disk. */
function notes(seen: string[]): AgentHandler {
  return async (request, session) => {
    const { workspace } = request.json() as { workspace: string };
    seen.push((await session.exec('cat answer .git/note /tmp/note 2>/dev/null | xargs', { workingDirectory: workspace })).stdout.trim());
    await session.exec('echo 42 > answer; echo kept > .git/note; echo passing > /tmp/note', { workingDirectory: workspace });
    return {};
  };
}

test('ends an unused session, which continues the next day with its workspace and a new disk', async () => {
  const seen: string[] = [];
  const rehearsal = await loop.start(notes(seen));
  const first = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' });
  const session = first.session!;
  const look = 'cat /mnt/workspace/repo/answer /tmp/mine 2>/dev/null | xargs';

  await output(rehearsal, session, 'echo mine > /tmp/mine');
  await rehearsal.clock.advance(14 * MINUTE);
  expect(await output(rehearsal, session, look)).toBe('42 mine');
  await rehearsal.clock.advance(16 * MINUTE);
  expect(await output(rehearsal, session, look)).toBe('42');

  await rehearsal.clock.advance(DAY);
  const second = await rehearsal.run({ prompt: 'Are you sure?', taskId: 'answer', session: { id: session.id } });
  expect([first.outcome, second.outcome, second.session]).toEqual(['COMMITTED', 'NO_CHANGES', session]);
  expect(seen).toEqual(['41', '42 kept']);
});

test('continues a session within 14 days of its last turn; later, its workspace is empty, and the repository is cloned again', async () => {
  const seen: string[] = [];
  const rehearsal = await loop.start(notes(seen));
  const prompt = 'What is the answer?';
  const { session } = await rehearsal.run({ prompt, taskId: 'answer' });
  const { id } = session!;

  await rehearsal.clock.advance(14 * DAY - MINUTE);
  await rehearsal.run({ prompt, taskId: 'answer', session: { id } });
  await rehearsal.clock.advance(14 * DAY - MINUTE); // from the turn of a minute ago
  const kept = await rehearsal.run({ prompt, taskId: 'answer', session: { id } });
  expect(seen).toEqual(['41', '42 kept', '42 kept']);

  await rehearsal.clock.advance(14 * DAY + MINUTE);
  expect(await output(rehearsal, session!, 'ls -A /mnt/workspace')).toBe('');
  const late = await rehearsal.run({ prompt, taskId: 'another', session: { id } });
  expect([late.outcome, late.session?.id, seen[3]]).toEqual(['COMMITTED', id, '41']);
  expect([kept, late].map((record) => record.output!.session.workspace)).toEqual(['RESUMED', 'NEW']);
});
