import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentHandler } from '../../rehearsal/agentcore';
import { exitCodeOf } from '../../src/journal/exit-codes';
import { reportOf } from '../../src/journal/report/report';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

/** Changes the template, and returns the assembly. */
function changed(from: string | RegExp, to: string): string {
  const assembly = loop.synth();
  const file = join(assembly, 'Stack.template.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  return assembly;
}

test('a loop in the user\'s own stack repairs what a gate rejects, and survives a lost microVM', async () => {
  const rehearsal = await loop.start(writes('43', '42'));
  rehearsal.inject({ operation: 'InvokeAgentRuntimeCommand', at: 'firstByte', kind: 'replaceMicrovm', match: ({ command = '' }) => command.includes('./test.sh') });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect(record.outcome).toBe('COMMITTED');
  expect(record.faults).toEqual(['replaceMicrovm in InvokeAgentRuntimeCommand']);
  expect(record.steps.filter(({ kind }) => kind === 'gate').map(({ verdict }) => verdict)).toEqual(expect.arrayContaining(['FAILED', 'PASSED']));
  expect(record.commit?.patch).toContain('-41\n+42');
  expect(record.missingPermissions).toEqual([]);
});

test('concurrent runs share only the copy of a repository', async () => {
  const rehearsal = await loop.start(writes('43', '42'));

  const records = await Promise.all(['one', 'two', 'three', 'four'].map((taskId) => rehearsal.run({ prompt: 'What is the answer?', taskId }, { retryDelay: 0 })));

  expect(records.map(({ outcome, error }) => error ?? outcome)).toEqual(records.map(() => 'COMMITTED'));
  expect(new Set(records.map(({ repository }) => repository.copy)).size).toBe(1);
  expect(new Set(records.map(({ session }) => session?.workspace)).size).toBe(4);
  expect(records.map(({ commit }) => commit?.branch)).toEqual(['one', 'two', 'three', 'four'].map((taskId) => `workbench/${taskId}`));
});

test('the record of a run has the calls, faults and warnings of its own session', async () => {
  const rehearsal = await loop.start(async (request, session) => {
    const { workspace, taskId } = request.json() as { workspace: string; taskId: string };
    await session.exec(taskId === 'links' ? 'echo 42 > answer; ln answer linked' : 'echo 42 > answer', { workingDirectory: workspace });
  });
  const begin = async (taskId: string) => rehearsal.begin({ prompt: 'What is the answer?', taskId }, { retryDelay: 0 });
  const runs = [await begin('links'), await begin('struck')];
  const { sessionId } = runs[1];
  rehearsal.inject({ operation: 'InvokeAgentRuntimeCommand', at: 'firstByte', kind: 'reset', match: (call) => call.sessionId === sessionId });

  const [links, struck] = await Promise.all(runs.map(({ record }) => record));

  expect([links.outcome, struck.outcome]).toEqual(['COMMITTED', 'COMMITTED']);
  expect([links.faults, struck.faults]).toEqual([[], ['reset in InvokeAgentRuntimeCommand']]);
  const callsOf = (id: string) => rehearsal.server.calls.all.filter((call) => call.sessionId === id).length;
  expect([links.calls.length, struck.calls.length]).toEqual(runs.map((run) => callsOf(run.sessionId)));
  expect([links.warnings, struck.warnings]).toEqual([[expect.stringContaining('session storage does not support hard links')], []]);
});

test('the report of a continued session has no output of its earlier runs', async () => {
  const rehearsal = await loop.start({
    command: [process.execPath, '-e', `
    const { writeFileSync } = require('node:fs');
    require('node:http').createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      if (request.url === '/invocations') {
        const { workspace, prompt } = JSON.parse(body);
        console.log('asked for ' + prompt);
        writeFileSync(workspace + '/answer', '42\\n');
        writeFileSync(workspace + '/' + prompt, '');
      }
      response.end('{"status":"Healthy"}');
    }).listen(process.env.PORT);`],
  });
  const first = await rehearsal.run({ prompt: 'one', taskId: 'answer' }, { retryDelay: 0 });
  const second = await rehearsal.run({ prompt: 'two', taskId: 'answer', session: { id: first.session!.id } }, { retryDelay: 0 });

  const logs = [first, second].map(({ steps }) => steps.find(({ kind }) => kind === 'turn')?.log);
  expect(logs).toEqual([expect.stringContaining('asked for one'), expect.stringContaining('asked for two')]);
  expect(logs[1]).not.toContain('asked for one');
});

test('fails for a permission that the template lacks, with the statement that would grant it', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: changed('bedrock-agentcore:StopRuntimeSession', 'bedrock-agentcore:GetAgentCard') });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect(record.missingPermissions).toEqual([expect.objectContaining({ action: 'bedrock-agentcore:StopRuntimeSession' })]);
  expect(record.missingPermissions[0].role).toMatch(/SessionDriverRole/);
  expect(JSON.parse(record.missingPermissions[0].statement)).toEqual({
    Effect: 'Allow', Action: 'bedrock-agentcore:StopRuntimeSession', Resource: rehearsal.loop.runtimeArn,
  });
  expect(exitCodeOf(record)).toBe(3);
});

test('fails for a state machine that may not call its function', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: changed('"lambda:InvokeFunction"', '"lambda:GetFunction"') });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect([record.missingPermissions.map(({ action }) => action), exitCodeOf(record)]).toEqual([['lambda:InvokeFunction'], 3]);
});

test('a run that Step Functions times out has failed, with its session stopped, wherever it is shown', async () => {
  const asleep: AgentHandler = async (_, session) => session.exec('sleep 1000');
  // The event of the state machine, which follows its states.
  const rehearsal = await loop.start(asleep, { assembly: changed(/(.*TimeoutSeconds\\":)\d+/s, '$11') });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' });

  expect([record.outcome, record.error?.name, exitCodeOf(record)]).toEqual(['States.Timeout', 'States.Timeout', 3]);
  expect(record.calls.map(({ operation }) => operation)).toContain('StopRuntimeSession');
  expect(reportOf(record)).toContain('<span class="bad">States.Timeout</span>');
  expect(reportOf(record)).toContain('it exceeded the timeout of its state machine');
});

test('succeeds only with a commit, or with nothing to change', () => {
  const code = (outcome: string, error?: string) => exitCodeOf({ outcome, error: error === undefined ? undefined : { name: error, message: '' }, missingPermissions: [] });

  expect([code('COMMITTED'), code('NO_CHANGES')]).toEqual([0, 0]);
  expect([code('TIMED_OUT'), code('SUCCEEDED'), code('CodingLoop.Red', 'CodingLoop.Red'), code('CodingLoop.BaseRed', 'CodingLoop.BaseRed'), code('INTERRUPTED')]).toEqual([3, 3, 1, 1, 130]);
});

test('fails before the start for what is not emulated, with its name', async () => {
  await expect(loop.start(writes('42'), { assembly: changed('nodejs24.x', 'python3.13') }))
    .rejects.toThrow(/Stack\/Loop cannot be rehearsed: state "Prepare the run" needs the function \w+, which is not Node.js code/);
});

test('a run\'s output cannot become markup in its report', async () => {
  const rehearsal = await loop.start(writes('"<script>alert(1)</script>"', '42'));

  const report = reportOf(await rehearsal.run({ prompt: '<b>What</b> is the answer?', taskId: 'answer' }));

  expect(report).toContain('the answer is &lt;script&gt;alert(1)&lt;/script&gt;');
  expect(report).not.toMatch(/<script|<b>/);
});
