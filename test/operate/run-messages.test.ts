/** The words of events, without a run: test/operate/run-events.test.ts has the events of real runs. */
import { RunEventDetail, RunEventSender } from '../../src/loop/steps/run-events';

const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:Loop:my-run';

type Answer = { readonly FailedEntryCount?: number; readonly Entries?: readonly object[] };

/** Returns a sender, and the details of its events. */
function sender(answers: Answer[] = []) {
  const details: RunEventDetail[] = [];
  const logged: unknown[] = [];
  const requests = {
    json: async (_: string, __: string, { Entries: [{ Detail }] }: { readonly Entries: readonly { readonly Detail: string }[] }) => {
      details.push(JSON.parse(Detail));
      return answers.shift() ?? {};
    },
  };
  const tools = {
    clock: { now: Date.now, sleep: async () => undefined },
    backoffSeconds: 0,
    until: Date.now() + 600_000,
    requestsOf: () => requests,
    log: (...words: unknown[]) => void logged.push(words),
  };
  return { events: new RunEventSender('App/Loop', 'default', tools as never), details, logged };
}

const SESSION = { id: 'session', stopped: true };
const RUN = { taskId: 'T-1', session: { id: 'session', workspace: 'NEW' } };
const COMMITTED = { outcome: 'COMMITTED', taskId: 'T-1', rounds: 1, session: SESSION, commit: { id: '0123456789abcdef', branch: 'agent/T-1' }, verified: true };

test.each<[string, object, string, string]>([
  ['a verified commit', COMMITTED, 'T-1: committed', 'T-1 is committed after 1 round and verified: agent/T-1 (0123456789ab).'],
  ['a commit with a pull request', { ...COMMITTED, rounds: 2, verified: false, pullRequest: { url: 'https://example.com/pull/7' } }, 'T-1: committed', 'T-1 is committed after 2 rounds: https://example.com/pull/7.'],
  ['no changes', { ...COMMITTED, outcome: 'NO_CHANGES' }, 'T-1: nothing to change', 'All gates of T-1 passed, and the agent changed nothing.'],
  ['a session that stays', { ...COMMITTED, session: { ...SESSION, stopped: false, error: 'throttled' } }, 'T-1: committed', 'T-1 is committed after 1 round and verified: agent/T-1 (0123456789ab). Its session was not stopped: throttled.'],
  ['a failure', { outcome: 'CodingLoop.Red', taskId: 'T-1', rounds: 3, session: SESSION, error: { message: 'a gate\nfailed <b>' } }, 'T-1: CodingLoop.Red', 'T-1 failed after 3 rounds: a gate failed ‹b›'],
  ['a failure without a message or a task', { outcome: 'CodingLoop.Failed', taskId: '', rounds: 1, session: SESSION }, 'a task without a name: CodingLoop.Failed', 'a task without a name failed after 1 round: CodingLoop.Failed'],
])('the end of a run is told: %s', async (_, record, title, message) => {
  const { events, details } = sender();
  await events.after({ operation: 'loop:stop', execution: EXECUTION } as never, { output: record });
  // The last round and the end have the same words.
  expect(details.map((detail) => [detail.title, detail.message])).toEqual([[title, message], [title, message]]);
});

test.each<[object | undefined, string]>([
  [undefined, 'Round 1 of T-1: the change has to be repaired.'],
  [{ gate: 'test', verdict: 'FAILED', exitCode: 1 }, 'Round 1 of T-1: "test" ended as FAILED with exit code 1.'],
  [{ gate: 'test', verdict: 'TIMED_OUT', exitCode: null, cleanCheckout: true, failingTests: ['a', 'b', 'c', 'd'] }, 'Round 1 of T-1: "test" ended as TIMED_OUT in a clean checkout: a, b, c.'],
])('a round before a repair is told with what failed: %j', async (feedback, message) => {
  const { events, details } = sender();
  await events.after({ operation: 'loop:gate', execution: EXECUTION, state: { run: RUN } } as never, { next: 'REPAIR', round: 1, feedback });
  expect(details.map((detail) => detail.message)).toEqual([message]);
});

test.each([['NEW', 'started'], ['RESUMED', 'continues in its workspace']])('the beginning of a run in a workspace that is %s', async (workspace, word) => {
  const { events, details } = sender();
  await events.after({ operation: 'loop:prepare', execution: EXECUTION } as never, { run: { ...RUN, session: { ...RUN.session, workspace } } });
  expect(details.map((detail) => detail.message)).toEqual([`The run of T-1 ${word}.`]);
});

test.each<[string | null, string]>([['{"taskId":7}', 'a task without a name'], ['no JSON', 'a task without a name'], [null, 'a task without a name'], ['{"taskId":"T-2"}', 'T-2']])(
  'a run that Step Functions ended is named by its input: %j', async (input, name) => {
    const { events, details } = sender();
    const detail = { executionArn: EXECUTION, input, status: 'TIMED_OUT' };
    await events.after({ operation: 'loop:cleanUp', detail } as never, { status: 'STOPPED', sessionId: 'session' });
    expect(details.map(({ title }) => title)).toEqual([`${name}: TIMED_OUT`]);
    await events.after({ operation: 'loop:cleanUp', detail } as never, { status: 'ended by itself' });
    expect(details).toHaveLength(1);
  },
);

test('an event that the bus refuses is sent three times, and then left', async () => {
  const refused = { FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' }] };
  const { events, details, logged } = sender([refused, { FailedEntryCount: 1 }, refused]);
  await events.after({ operation: 'loop:prepare', execution: EXECUTION } as never, { run: RUN });
  expect(details).toHaveLength(3);
  expect(logged).toEqual([['event not sent', { detailType: 'CodingLoop Run Started', error: 'ThrottlingException' }]]);
});
