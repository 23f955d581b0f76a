import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Agent } from '../../rehearsal/agentcore';
import { hostEnvironment, serviceEnvironment } from '../../rehearsal/agentcore/environment';
import { AgentTurn } from '../../src';
import { RehearsedLoop, RehearsedStack, writes } from '../support/rehearsed-loop';
import { STUB_SANDBOXES } from '../support/stub-sandbox';

jest.setTimeout(120_000);

const CLIENT = resolve(__dirname, '../../node_modules/@aws-sdk/client-sfn');
const GRANTED: RehearsedStack = { loop: { turn: AgentTurn.callback() }, then: (made, runtime) => void made.stateMachine.grantTaskResponse(runtime) };

let loop: RehearsedLoop;
let directory: string;
beforeEach(() => {
  loop = new RehearsedLoop();
  directory = mkdtempSync(join(tmpdir(), 'agent-'));
});
afterEach(async () => {
  await loop.close();
  rmSync(directory, { recursive: true });
});

/** A program that answers at once, and reports with the SDK's own client and with what its environment provides. */
function program(report: string): Agent {
  writeFileSync(join(directory, 'agent.js'), `
    const { createServer } = require('node:http');
    const { writeFileSync } = require('node:fs');
    const { SFNClient, SendTaskFailureCommand, SendTaskHeartbeatCommand, SendTaskSuccessCommand } = require('${CLIENT}');
    const client = new SFNClient({});
    createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.end('{"status":"Healthy"}');
      if (request.url !== '/invocations') return;
      const { workspace, taskToken } = JSON.parse(body);
      writeFileSync(workspace + '/answer', '42\\n');
      try {
        ${report}
      } catch (error) {
        console.log(error.name + ': ' + error.message);
      }
    }).listen(process.env.PORT);
  `);
  return { command: [process.execPath, 'agent.js'], workingDirectory: directory };
}

test('continues a turn once, when the agent reports from within its sandbox', async () => {
  const rehearsal = await loop.start(program(`
    await client.send(new SendTaskHeartbeatCommand({ taskToken }));
    await client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
    await client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
  `), { assembly: loop.synth(GRANTED) });

  const { calls } = rehearsal.server;
  const reported = () => calls.next({ operation: 'SendTaskSuccess' }, 'finished');
  const twice = reported().then(async (first) => [first, await reported()].map(({ outcome }) => outcome?.statusCode));

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect([record.outcome, record.error, record.missingPermissions]).toEqual(['COMMITTED', undefined, []]);
  expect([await twice, calls.of('SendTaskHeartbeat')]).toEqual([[200, 400], [expect.objectContaining({ outcome: { statusCode: 200 } })]]);
});

test('fails a turn with the error that the agent reports', async () => {
  const rehearsal = await loop.start(program(`
    await client.send(new SendTaskFailureCommand({ taskToken, error: 'Agent.NoCredit', cause: 'the cause of it' }));
  `), { assembly: loop.synth(GRANTED) });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect(record.error).toEqual({ name: 'Agent.NoCredit', message: 'the cause of it' });
});

test('fails a turn when the agent reports a failure without an error', async () => {
  const rehearsal = await loop.start(program(`
    await client.send(new SendTaskFailureCommand({ taskToken }));
  `), { assembly: loop.synth(GRANTED) });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect([record.outcome, record.commit, record.output?.session.stopped]).toEqual(['CodingLoop.TurnFailed', undefined, true]);
});

test('times out a turn whose agent stays silent, with an error name of ours', async () => {
  // This is what Step Functions itself reports, after five minutes without a heartbeat.
  const rehearsal = await loop.start(program(`
    await client.send(new SendTaskFailureCommand({ taskToken, error: 'States.Timeout', cause: '' }));
  `), { assembly: loop.synth(GRANTED) });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect([record.outcome, record.error, record.output?.session.stopped]).toEqual([
    'CodingLoop.TurnTimedOut', { name: 'CodingLoop.TurnTimedOut', message: expect.any(String), caught: 'States.Timeout' }, true,
  ]);
});

test('fails for an execution role that may not report, with the statement that would allow it', async () => {
  const rehearsal = await loop.start(program(`
    await client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
  `), { assembly: loop.synth({ loop: { turn: AgentTurn.callback() } }) });
  const asked = rehearsal.server.calls.next({ operation: 'SendTaskSuccess' }, 'finished');
  const run = await rehearsal.begin({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect((await asked).outcome).toEqual({ statusCode: 400 });
  await run.interrupt();

  const { missingPermissions } = await run.record;
  expect(missingPermissions).toEqual([expect.objectContaining({ action: 'states:SendTaskSuccess', role: expect.stringMatching(/^Agent/) })]);
});

test('refuses an output that is not JSON, and the task keeps waiting', async () => {
  const rehearsal = await loop.start(program(`
    await client.send(new SendTaskSuccessCommand({ taskToken, output: 'done' }))
      .catch((error) => client.send(new SendTaskFailureCommand({ taskToken, error: error.name, cause: 'of the first' })));
  `), { assembly: loop.synth(GRANTED) });

  expect((await rehearsal.run({ prompt: 'What is the answer?' }, { retryDelay: 0 })).error).toEqual({ name: 'InvalidOutput', message: 'of the first' });
});

test('fails before the start in a sandbox that a callback cannot leave, unless the agent is outside of it', async () => {
  const sandbox = { ...STUB_SANDBOXES, ownNetwork: true };
  const assembly = loop.synth(GRANTED);
  await expect(loop.start(program(''), { assembly, sandbox })).rejects.toThrow(
    'Stack/Loop cannot be rehearsed: state "Ask the agent" waits for a callback, which cannot leave a container that has its own network');
  await expect(loop.start(writes('42'), { assembly, sandbox })).resolves.toBeDefined();
});

describe('the environment of a session', () => {
  test('has the credentials of the execution role, which AWS refuses', () => {
    expect(serviceEnvironment('http://127.0.0.1:1234', 'AKIDAgent')).toMatchObject({
      AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:1234', AWS_ACCESS_KEY_ID: 'AKIDAgent', AWS_SESSION_TOKEN: 'local', AWS_EC2_METADATA_DISABLED: 'true',
    });
  });

  test.each(['AWS_ACCESS_KEY_ID', 'AWS_PROFILE'])('does not mix them with others, named by %s', (name) => {
    expect(serviceEnvironment('http://127.0.0.1:1234', 'AKIDAgent', { [name]: 'mine' })).toEqual({ AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:1234' });
  });

  test('has no proxy between it and the server', () => {
    const { http_proxy: before } = process.env;
    process.env.http_proxy = 'http://proxy.example.com';
    try {
      const environment = { ...hostEnvironment('us-east-1'), ...serviceEnvironment('http://127.0.0.1:1234', 'AKIDAgent') };
      expect(environment.no_proxy).toMatch(/(^|,)127\.0\.0\.1$/);
      expect(environment.NO_PROXY).toBe(environment.no_proxy);
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });
});
