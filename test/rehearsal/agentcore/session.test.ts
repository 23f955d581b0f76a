import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeAgentRuntimeCommandCommand } from '@aws-sdk/client-bedrock-agentcore';
import { CreateAgentRuntimeEndpointCommand, UpdateAgentRuntimeEndpointCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import { Agent, AgentSession } from '../../../rehearsal/agentcore';
import { SandboxDriver } from '../../../rehearsal/sandbox';
import { newSessionId, ServerFixture } from '../../support/agentcore';
import { STUB_SANDBOXES } from '../../support/stub-sandbox';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';
/** Answers its prompt, and reports whether it is busy. */
const AGENT: Agent = {
  handler: (request, session: AgentSession) => {
    const { busy } = request.json() as { busy?: boolean };
    session.setBusy(busy ?? false);
    return { version: session.runtimeVersion };
  },
};

let fixture: ServerFixture;
const fixtures: ServerFixture[] = [];
beforeEach(async () => {
  fixture = await start({ agent: AGENT });
});
afterEach(async () => {
  await Promise.all(fixtures.splice(0).map(one => one.close()));
});

async function start(...props: Parameters<typeof ServerFixture.start>): Promise<ServerFixture> {
  const started = await ServerFixture.start(...props);
  fixtures.push(started);
  return started;
}

describe('a stop', () => {
  test('ends all processes and the ephemeral disk, and keeps the workspace for another microVM', async () => {
    const before = await fixture.command(`echo kept >/mnt/workspace/kept; touch /tmp/gone /var/gone $HOME/gone; (setsid sleep 444 &); ${BOOT_ID}`);
    await fixture.stop();
    expect(readdirSync(join(fixture.stateDirectory, 'microvms'))).toEqual([]);
    const after = await fixture.command(`cat /mnt/workspace/kept; ls /tmp/gone /var/gone $HOME/gone 2>/dev/null; pgrep -f "^sleep 444"; ${BOOT_ID}`);
    expect(after.stdout).toMatch(/^kept\n[0-9a-f-]{36}\n$/);
    expect(after.stdout).not.toContain(before.stdout);
    expect(existsSync('/var/gone')).toBe(false);
  });

  test('fails if there is nothing to stop', async () => {
    await expect(fixture.stop()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await fixture.command('true');
    expect((await fixture.stop()).runtimeSessionId).toBe(fixture.sessionId);
    await expect(fixture.stop()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('fails, as an invocation or a command does, while the session is in transition', async () => {
    let ended = () => {};
    const end = new Promise<void>((resolve) => { ended = resolve; });
    const sandbox: SandboxDriver = {
      name: 'slow to end',
      start: async (options) => Object.assign(await STUB_SANDBOXES.start(options), { kill: async () => end }),
    };
    const slow = await start({ agent: AGENT }, { sandbox });
    await slow.command('true');
    const operations = [() => slow.stop(), () => slow.command('true'), () => slow.invoke({})];
    const received = slow.server.calls.next({ operation: 'StopRuntimeSession' });
    const stopping = slow.stop();
    await received;
    await Promise.all(operations.map(operation => expect(operation()).rejects.toMatchObject({ name: 'RetryableConflictException' })));
    ended();
    await stopping;
  });

  test.each([
    ['end', undefined],
    ['reset', 'aborted'],
    ['exception', 'The session has ended'],
  ] as const)('ends the streams of the session with %s', async (onSessionEnd, message) => {
    const other = await start({}, { onSessionEnd });
    const running = other.command('echo started; sleep 1000');
    await other.command('until pgrep -f "^sleep 1000"; do sleep 0.01; done');
    await other.stop();
    const result = await running;
    expect(result.events).toEqual(['contentStart', 'contentDelta']);
    expect(result.error?.message).toBe(message);
  });

  test('ends a running invocation with RuntimeClientError', async () => {
    const other = await start({ agent: { handler: () => new Promise(() => undefined) } });
    await other.command('true');
    const received = other.server.calls.next({ operation: 'InvokeAgentRuntime' });
    const invoking = other.invoke({}).catch((error: Error) => error.name);
    await received;
    await other.command('true');
    await other.stop();
    expect(await invoking).toBe('RuntimeClientError');
  });
});

describe('a session', () => {
  test('belongs to its endpoint: another qualifier has another microVM and workspace', async () => {
    await fixture.control.send(new CreateAgentRuntimeEndpointCommand({ agentRuntimeId: fixture.arn.split('/')[1], name: 'other' }));
    await fixture.command('touch /mnt/workspace/of-default');
    expect((await fixture.command('ls /mnt/workspace', { qualifier: 'other' })).stdout).toBe('');
    await fixture.stop({ qualifier: 'DEFAULT' });
    expect((await fixture.stop({ qualifier: 'other' })).runtimeSessionId).toBe(fixture.sessionId);
  });

  test('is one microVM for simultaneous callers', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => fixture.command(BOOT_ID)));
    expect(new Set(ids.map(({ stdout }) => stdout)).size).toBe(1);
  });

  test('continues in another microVM if the host fails', async () => {
    const before = (await fixture.command(`touch /tmp/gone /mnt/workspace/kept; ${BOOT_ID}`)).stdout;
    await fixture.server.replaceMicrovm(fixture.arn, fixture.sessionId);
    const after = await fixture.command(`ls /tmp/gone /mnt/workspace; ${BOOT_ID}`);
    expect(after.stdout).toMatch(/^\/mnt\/workspace:\nkept\n[0-9a-f-]{36}\n$/);
    expect(after.stdout).not.toContain(before);
    await fixture.stop();
  });

  test('loses the content of its workspace if that is wiped', async () => {
    await fixture.command('mkdir -p /mnt/workspace/a/b; touch /mnt/workspace/.hidden');
    await fixture.server.wipeWorkspace(fixture.arn, fixture.sessionId);
    expect((await fixture.command('ls -A /mnt/workspace; touch /mnt/workspace/new')).stdout).toBe('');
    expect(readdirSync(fixture.server.workspaceDirectory(fixture.arn, fixture.sessionId))).toEqual(['new']);
  });
});

describe('the idle timeout', () => {
  const gone = () => readdirSync(join(fixture.stateDirectory, 'microvms')).length === 0;

  test('of 900 s restarts with each command, and stops the session', async () => {
    await fixture.command('true');
    await fixture.clock.advance(890 * SECOND);
    await fixture.command('true');
    await fixture.clock.advance(890 * SECOND);
    expect(gone()).toBe(false);
    await fixture.clock.advance(10 * SECOND);
    expect(gone()).toBe(true);
    await expect(fixture.stop()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('is that of the lifecycle configuration', async () => {
    fixture = await start({ lifecycle: { idleRuntimeSessionTimeout: 60 } });
    await fixture.command('true');
    await fixture.clock.advance(60 * SECOND);
    expect(gone()).toBe(true);
  });

  test('does not run while a command does', async () => {
    const running = fixture.command('until [ -e /tmp/end ]; do sleep 0.01; done', { timeout: 3600 });
    await fixture.command('true');
    await fixture.clock.advance(1_800 * SECOND);
    await fixture.command('touch /tmp/end');
    expect(await running).toMatchObject({ exitCode: 0 });
  });

  test('does not stop an agent that answers HealthyBusy', async () => {
    await fixture.invoke({ busy: true });
    await fixture.clock.advance(2_000 * SECOND);
    expect(gone()).toBe(false);
    await fixture.invoke({ busy: false });
    await fixture.clock.advance(900 * SECOND);
    expect(gone()).toBe(true);
  });
});

describe('the maximum lifetime', () => {
  test('stops a session during a command', async () => {
    fixture = await start({ lifecycle: { maxLifetime: 120, idleRuntimeSessionTimeout: 60 } });
    const running = fixture.command('sleep 1000', { timeout: 3600 });
    await fixture.command('until pgrep -f "^sleep 1000"; do sleep 0.01; done');
    await fixture.clock.advance(119 * SECOND);
    expect((await fixture.command('pgrep -cf "^sleep 1000"')).stdout).toBe('1\n');
    await fixture.clock.advance(2 * SECOND);
    expect((await running).events).toEqual(['contentStart']);
  });

  test('restarts with the next microVM', async () => {
    fixture = await start({ lifecycle: { maxLifetime: 60 } });
    const before = await fixture.command(BOOT_ID);
    await fixture.clock.advance(60 * SECOND);
    const after = await fixture.command(BOOT_ID);
    expect(after.stdout).not.toBe(before.stdout);
    await fixture.clock.advance(50 * SECOND);
    expect((await fixture.command(BOOT_ID)).stdout).toBe(after.stdout);
  });
});

describe('a workspace', () => {
  const id = () => fixture.arn.split('/')[1];
  const files = async () => (await fixture.command('ls /mnt/workspace')).stdout;

  test('outlives the server, and is found again by the runtime\'s name', async () => {
    await fixture.command('touch /mnt/workspace/kept');
    await fixture.close({ keepState: true });
    fixtures.splice(fixtures.indexOf(fixture), 1);
    const restarted = await start({ agent: AGENT }, { stateDirectory: fixture.stateDirectory });
    expect(restarted.arn).toBe(fixture.arn);
    expect((await restarted.command('ls /mnt/workspace', { runtimeSessionId: fixture.sessionId })).stdout).toBe('kept\n');
  });

  test('is wiped if its endpoint has moved to another version, at the next microVM', async () => {
    await fixture.command('touch /mnt/workspace/old');
    expect(fixture.server.createRuntime({ name: 'coder', mounts: ['/mnt/workspace'], agent: AGENT, containerUri: 'another' }).version).toBe('2');
    expect(JSON.parse(await (await fixture.invoke({})).text())).toEqual({ version: '1' });
    expect(await files()).toBe('old\n');
    await fixture.stop();
    expect(await files()).toBe('');
    expect(JSON.parse(await (await fixture.invoke({})).text())).toEqual({ version: '2' });
    expect(fixture.server.warnings).toEqual([expect.stringContaining('the endpoint has moved from version 1')]);
  });

  test('is kept if another endpoint moves', async () => {
    await fixture.control.send(new CreateAgentRuntimeEndpointCommand({ agentRuntimeId: id(), name: 'v1', agentRuntimeVersion: '1' }));
    await fixture.command('touch /mnt/workspace/kept', { qualifier: 'v1' });
    fixture.server.createRuntime({ name: 'coder', mounts: ['/mnt/workspace'], containerUri: 'another' });
    await fixture.stop({ qualifier: 'v1' });
    expect((await fixture.command('ls /mnt/workspace', { qualifier: 'v1' })).stdout).toBe('kept\n');
    await fixture.control.send(new UpdateAgentRuntimeEndpointCommand({ agentRuntimeId: id(), endpointName: 'v1', agentRuntimeVersion: '2' }));
    await fixture.stop({ qualifier: 'v1' });
    expect((await fixture.command('ls /mnt/workspace', { qualifier: 'v1' })).stdout).toBe('');
  });

  test('is kept for 14 days after an invocation, and no longer', async () => {
    await fixture.invoke({});
    await fixture.command('touch /mnt/workspace/old');
    await fixture.clock.advance(13.9 * DAY);
    expect(await files()).toBe('old\n');
    await fixture.clock.advance(0.2 * DAY);
    expect(await files()).toBe(''); // it is not documented that commands count
  });

  test('that contains what session storage does not support is reported', async () => {
    await fixture.command('cd /mnt/workspace; touch a; ln a b; mkfifo f; ln -s a c; mkdir d; truncate -s 1100M d/large');
    await fixture.server.close();
    expect([...fixture.server.warnings].sort()).toEqual([
      expect.stringMatching(/session storage does not support hard links: [ab], [ab]$/),
      expect.stringMatching(/session storage does not support sockets, FIFOs or device files: f$/),
      expect.stringMatching(/session storage holds 1 GB, and the workspace has 1.1 GB$/),
    ]);
  });

  test('of a file system that sessions share is visible to all of them', async () => {
    const accessPointArn = 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0';
    const other = await start({ mounts: [{ efsAccessPoint: { accessPointArn, mountPath: '/mnt/shared' } }] });
    await other.command('echo shared >/mnt/shared/file');
    expect((await other.command('cat /mnt/shared/file', { runtimeSessionId: newSessionId() })).stdout).toBe('shared\n');
  });
});

test('a client that waits for a starting session gets no error about its transition', async () => {
  const sessionId = newSessionId();
  const send = () => fixture.client.send(new InvokeAgentRuntimeCommandCommand({ agentRuntimeArn: fixture.arn, runtimeSessionId: sessionId, body: { command: 'true' } }));
  const responses = await Promise.all([send(), send()]);
  expect(responses.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
});
