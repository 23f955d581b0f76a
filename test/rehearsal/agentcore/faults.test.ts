import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetAgentRuntimeCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import { AgentSession, FaultKind, FaultPoint } from '../../../rehearsal/agentcore';
import { newSessionId, ServerFixture } from '../../support/agentcore';

/** Counts its starts and ends in the workspace, and prints 20 bytes in between. */
const COMMAND = 'echo start >>/mnt/workspace/record; echo 1234567890123456789; echo end >>/mnt/workspace/record';

const ERRORS: Partial<Record<FaultKind, [name: string, status: number]>> = {
  throttle: ['ThrottlingException', 429],
  conflict: ['RetryableConflictException', 409],
  agentError: ['RuntimeClientError', 424],
  internal: ['InternalServerException', 500],
  quota: ['ServiceQuotaExceededException', 402],
  accessDenied: ['AccessDeniedException', 403],
  notFound: ['ResourceNotFoundException', 404],
  validation: ['ValidationException', 400],
};
const ERROR_KINDS = Object.keys(ERRORS) as FaultKind[];
const STREAM_POINTS: FaultPoint[] = ['firstByte', 'midOutput', 'beforeEnd'];
const stdoutAt = { firstByte: '', midOutput: '1234567', beforeEnd: '1234567890123456789\n' } as Record<FaultPoint, string>;

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await ServerFixture.start({ agent: { handler: (_, session) => converse(session) } });
});
afterEach(() => {
  expect(unfired()).toEqual([]);
  fixture.server.faults.clear();
});
afterAll(() => fixture.close());

let faults: { fired: number }[] = [];
function inject(...[spec]: Parameters<ServerFixture['server']['faults']['add']>): void {
  faults = [fixture.server.faults.add(spec)];
}
const unfired = () => faults.filter(({ fired }) => fired === 0);

async function converse(session: AgentSession) {
  await session.exec('echo start >>/mnt/workspace/record');
  return { contentType: 'text/event-stream', body: events(session) };
}
async function* events(session: AgentSession) {
  yield '12345';
  yield '67890';
  await session.exec('echo end >>/mnt/workspace/record');
}

/** The trace of the command or the agent, once the server has finished the call. */
async function record(sessionId: string): Promise<string> {
  await fixture.command('until ! pgrep -f "[r]ecord; echo 12345"; do sleep 0.01; done', { runtimeSessionId: sessionId });
  try {
    return readFileSync(join(fixture.server.workspaceDirectory(fixture.arn, sessionId), 'record'), 'utf8').replace(/\n/g, ' ').trim();
  } catch {
    return '';
  }
}

describe('InvokeAgentRuntimeCommand with a fault before the start', () => {
  test.each(ERROR_KINDS)('%s is an HTTP error, and nothing is started', async kind => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind });
    const [name, httpStatusCode] = ERRORS[kind]!;
    await expect(fixture.command(COMMAND, { runtimeSessionId })).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(await record(runtimeSessionId)).toBe('');
  });

  test('reset breaks the connection, and nothing is started', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'reset' });
    await expect(fixture.command(COMMAND, { runtimeSessionId })).rejects.toThrow('ECONNRESET');
    expect(await record(runtimeSessionId)).toBe('');
  });

  test.each([
    ['end', { events: [] }],
    ['platformExit', { events: ['contentStop'], exitCode: -1 }],
  ] as const)('%s sends only the end of a stream, and nothing is started', async (kind, expected) => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind });
    expect(await fixture.command(COMMAND, { runtimeSessionId })).toMatchObject(expected);
    expect(await record(runtimeSessionId)).toBe('');
  });

  test('hang sends no answer until the client disconnects', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'hang' });
    await expectHang('received', () => fixture.command(COMMAND, { runtimeSessionId }));
    expect(await record(runtimeSessionId)).toBe('');
  });

  test('replaceMicrovm and wipeWorkspace affect the session, and the command runs', async () => {
    const runtimeSessionId = newSessionId();
    await fixture.command('touch /mnt/workspace/before /tmp/before', { runtimeSessionId });
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'replaceMicrovm' });
    expect((await fixture.command('ls /mnt/workspace /tmp/before', { runtimeSessionId })).stdout).toBe('/mnt/workspace:\nbefore\n');
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'wipeWorkspace' });
    expect((await fixture.command('ls /mnt/workspace', { runtimeSessionId })).stdout).toBe('');
  });
});

describe.each(STREAM_POINTS)('InvokeAgentRuntimeCommand with a fault at %s', at => {
  const began = ['contentStart', ...stdoutAt[at] ? ['contentDelta'] : []];

  test.each(ERROR_KINDS.filter(kind => kind !== 'conflict'))('%s is an exception in the stream, and the command completes once', async kind => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind, afterBytes: 7 });
    expect(await fixture.command(COMMAND, { runtimeSessionId })).toMatchObject({
      events: began, stdout: stdoutAt[at], error: expect.objectContaining({ name: ERRORS[kind]![0] }) as Error,
    });
    expect(await record(runtimeSessionId)).toBe('start end');
  });

  test('reset breaks the connection', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'reset', afterBytes: 7 });
    const result = await fixture.command(COMMAND, { runtimeSessionId }).catch((error: Error) => ({ error, events: [] }));
    expect(result.error).toMatchObject({ message: 'aborted', code: 'ECONNRESET' });
    expect(result.events).not.toContain('contentStop');
    expect(await record(runtimeSessionId)).toBe('start end');
  });

  test('end is a clean end without contentStop, as if the call had succeeded', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'end', afterBytes: 7 });
    const result = await fixture.command(COMMAND, { runtimeSessionId });
    expect(result).toEqual({ events: began, stdout: stdoutAt[at], stderr: '' });
    expect(await record(runtimeSessionId)).toBe('start end');
  });

  test('platformExit is contentStop with -1', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'platformExit', afterBytes: 7 });
    expect(await fixture.command(COMMAND, { runtimeSessionId })).toMatchObject({ events: [...began, 'contentStop'], exitCode: -1 });
    expect(await record(runtimeSessionId)).toBe('start end');
  });

  test('hang leaves the connection open, and the command continues', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'hang', afterBytes: 7 });
    await expectHang('finished', () => fixture.command(COMMAND, { runtimeSessionId }));
    expect(await record(runtimeSessionId)).toBe('start end');
  });

  test('replaceMicrovm ends the stream without contentStop, and the session continues in another microVM', async () => {
    const runtimeSessionId = newSessionId();
    const boot = 'cat /proc/sys/kernel/random/boot_id';
    const before = await fixture.command(`touch /tmp/before; ${boot}`, { runtimeSessionId });
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'replaceMicrovm', afterBytes: 7 });
    const result = await fixture.command(`${COMMAND}; sleep 0.2`, { runtimeSessionId });
    expect(result).toEqual({ events: began, stdout: stdoutAt[at], stderr: '' });
    const after = await fixture.command(`ls /tmp/before; ${boot}`, { runtimeSessionId });
    expect(after.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(after.stdout).not.toBe(before.stdout);
  });

  test('wipeWorkspace empties the workspace under the running command', async () => {
    const runtimeSessionId = newSessionId();
    await fixture.command('mkdir -p /mnt/workspace/some/directory', { runtimeSessionId });
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'wipeWorkspace', afterBytes: 7 });
    expect(await fixture.command(COMMAND, { runtimeSessionId })).toMatchObject({ exitCode: 0, status: 'COMPLETED' });
    expect((await fixture.command('ls -d /mnt/workspace/some', { runtimeSessionId })).exitCode).toBe(2);
  });

  test('the command is killed if that is requested', async () => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntimeCommand', at, kind: 'end', afterBytes: 7, then: 'kill' });
    await fixture.command(`${COMMAND.replace('; echo end', '; sleep 600; echo end')}`, { runtimeSessionId, timeout: 2 });
    expect(['', 'start', 'start end']).toContain(await record(runtimeSessionId));
    expect((await fixture.command('pgrep -f "^sleep 600"', { runtimeSessionId })).stdout).toBe('');
  });
});

describe('InvokeAgentRuntime with a fault', () => {
  test.each(ERROR_KINDS)('%s before the start is an HTTP error, and the agent is not invoked', async kind => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntime', at: 'beforeStart', kind });
    const [name, httpStatusCode] = ERRORS[kind]!;
    await expect(fixture.invoke({}, { runtimeSessionId })).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(await record(runtimeSessionId)).toBe('');
  });

  test.each([
    ['firstByte', 'end', '1'],
    ['midOutput', 'end', '1234567'],
    ['beforeEnd', 'end', '1234567890'],
    ['firstByte', 'replaceMicrovm', '1'],
    ['midOutput', 'replaceMicrovm', '1234567'],
    ['beforeStart', 'wipeWorkspace', '1234567890'],
    ['midOutput', 'wipeWorkspace', '1234567890'],
    ['beforeStart', 'replaceMicrovm', '1234567890'],
  ] as const)('at %s, with %s, the client reads %j and ends', async (at, kind, text) => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntime', at, kind, afterBytes: 7 });
    const reply = await fixture.invoke({}, { runtimeSessionId });
    expect(await reply.text()).toBe(text);
  });

  test.each(['firstByte', 'midOutput', 'beforeEnd'] as const)('at %s, reset breaks the connection', async at => {
    const runtimeSessionId = newSessionId();
    inject({ operation: 'InvokeAgentRuntime', at, kind: 'reset', afterBytes: 7 });
    await expect(fixture.invoke({}, { runtimeSessionId }).then(reply => reply.text())).rejects.toThrow(/aborted|ECONNRESET|socket hang up/);
  });

  test('at midOutput, hang leaves the client waiting', async () => {
    inject({ operation: 'InvokeAgentRuntime', at: 'midOutput', kind: 'hang', afterBytes: 7 });
    await expectHang('responding', () => fixture.invoke({}, { runtimeSessionId: newSessionId() }).then(reply => reply.text()));
  });
});

describe('an operation without a stream', () => {
  test('fails before its start, and does nothing', async () => {
    await fixture.command('touch /tmp/still-there');
    inject({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'throttle' });
    await expect(fixture.stop()).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect((await fixture.command('ls /tmp/still-there')).exitCode).toBe(0);
  });

  test('fails before its reply, after it has completed', async () => {
    await fixture.command('true');
    inject({ operation: 'StopRuntimeSession', at: 'beforeEnd', kind: 'internal' });
    await expect(fixture.stop()).rejects.toMatchObject({ name: 'InternalServerException' });
    await expect(fixture.stop()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('of the control plane is reset', async () => {
    inject({ operation: 'GetAgentRuntime', at: 'beforeEnd', kind: 'reset' });
    await expect(fixture.control.send(new GetAgentRuntimeCommand({ agentRuntimeId: fixture.arn.split('/')[1] }))).rejects.toThrow('ECONNRESET');
  });
});

describe('coldStart', () => {
  const named = (call: Promise<unknown>) => call.then(() => 'answered', (error: Error) => error.name);
  const command = (runtimeSessionId: string) => named(fixture.command('true', { runtimeSessionId }));

  test('fails every other call to a new session until its time is over, and again after the session has ended', async () => {
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'coldStart', seconds: 60 });
    const runtimeSessionId = newSessionId();
    expect([await command(runtimeSessionId), await command(runtimeSessionId)]).toEqual(['RuntimeClientError', 'InternalServerException']);
    await fixture.clock.advance(60_000);
    expect([await command(runtimeSessionId), await command(runtimeSessionId)]).toEqual(['answered', 'answered']);
    await fixture.stop({ runtimeSessionId });
    expect(await command(runtimeSessionId)).toBe('RuntimeClientError');
  });

  test('fails the second of two first calls with a conflict', async () => {
    inject({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'coldStart', seconds: 0 });
    const runtimeSessionId = newSessionId();
    expect((await Promise.all([command(runtimeSessionId), command(runtimeSessionId)])).sort()).toEqual(['RetryableConflictException', 'answered']);
  });

  test('delays an invocation, too', async () => {
    inject({ operation: 'InvokeAgentRuntime', at: 'beforeStart', kind: 'coldStart', times: 1 });
    const runtimeSessionId = newSessionId();
    expect([await named(fixture.invoke({}, { runtimeSessionId })), await named(fixture.invoke({}, { runtimeSessionId }))]).toEqual(['RuntimeClientError', 'answered']);
  });
});

describe('faults', () => {
  test('occur as often as requested, and affect only calls that match', async () => {
    const { faults: injected } = fixture.server;
    const fault = injected.add({
      operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 2, match: ({ command = '' }) => command.includes('echo matched'),
    });
    await expect(fixture.command('echo matched')).rejects.toThrow();
    expect((await fixture.command('echo other')).exitCode).toBe(0);
    await expect(fixture.command('echo matched')).rejects.toThrow();
    expect((await fixture.command('echo matched')).exitCode).toBe(0);
    expect(fault.fired).toBe(2);
  });

  test.each([
    ['InvokeAgentRuntimeCommand', 'midOutput', 'conflict'],
    ['InvokeAgentRuntimeCommand', 'beforeStart', 'failTransition'],
    ['InvokeAgentRuntimeCommand', 'firstByte', 'coldStart'],
    ['StopRuntimeSession', 'beforeStart', 'coldStart'],
    ['InvokeAgentRuntime', 'firstByte', 'throttle'],
    ['InvokeAgentRuntime', 'beforeStart', 'platformExit'],
    ['StopRuntimeSession', 'midOutput', 'reset'],
    ['StopRuntimeSession', 'beforeStart', 'replaceMicrovm'],
    ['GetAgentRuntime', 'beforeStart', 'failTransition'],
    ['CreateAgentRuntime', 'beforeEnd', 'failTransition'],
  ] as const)('cannot be added to a call in which it cannot occur: %s, %s, %s', (operation, at, kind) => {
    expect(() => fixture.server.faults.add({ operation, at, kind })).toThrow(`fault '${kind}' at '${at}' of ${operation} cannot happen`);
  });
});

/** The call reaches the point where it hangs, and ends only with the client. */
async function expectHang(reached: 'received' | 'responding' | 'finished', call: () => Promise<unknown>): Promise<void> {
  const event = fixture.server.calls.next({}, reached);
  let ended = false;
  const calling = call().catch((error: unknown) => error).finally(() => ended = true);
  await event;
  await fixture.control.send(new GetAgentRuntimeCommand({ agentRuntimeId: fixture.arn.split('/')[1] }));
  expect(ended).toBe(false);
  fixture.client.destroy();
  await calling;
}
