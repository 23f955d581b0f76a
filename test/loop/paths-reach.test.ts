import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src';
import { ownSession, runIdOf } from '../../src/loop/steps/sessions';
import { LoopFixture, useLoops } from '../support/loop-fixture';

const start = useLoops();
const BAD_MARKERS: readonly [string, string][] = [
  ['names a run that never existed', 'rm -f marker; echo dead-00000000 > marker; echo 99999999999 > until-dead-00000000'],
  ['is empty', 'rm -f marker; : > marker'],
  ['is a directory', 'rm -f marker; mkdir -p marker/full'],
  ['is a FIFO', 'rm -f marker; mkfifo marker'],
  ['is a dangling link', 'ln -sfn /nowhere marker'],
  ['is a link to an endless device', 'ln -sfn /dev/zero marker'],
  ['has a line of a megabyte', 'head -c 1000000 /dev/zero | tr "\\0" x > marker'],
  ['is not readable', 'chmod 0 marker'],
  ['contains text that bash would execute', 'rm -f marker; echo "log.BASH_VERSINFO[\\$(>/mnt/workspace/ran)0]" > marker'],
];

/** Returns the operations that were called on a session. */
const askedOf = (loop: LoopFixture, sessionId: string) =>
  loop.server.calls.all.filter((call) => call.sessionId === sessionId).map(({ operation }) => operation);

describe('the end of a run stops its session, whatever the agent did to', () => {
  test.each(BAD_MARKERS)('the marker, which %s', async (_, command) => {
    const loop = await start({ agent: `echo right > value.txt; cd /mnt/workspace/.workbench; ${command}` });
    const { record } = await loop.run();
    expect(record.session).toMatchObject({ stopped: true });
    expect(record.session.error).toBeUndefined();
  });

  test.each([
    ['the marker, which names a run in progress elsewhere', (other: string) => `echo ${other} > /mnt/workspace/.workbench/marker`],
    ['our records, which are missing', () => 'rm -rf /mnt/workspace/.workbench'],
    ['our records, which are a file', () => 'rm -rf /mnt/workspace/.workbench; echo > /mnt/workspace/.workbench'],
    ['our records, which are a FIFO', () => 'rm -rf /mnt/workspace/.workbench; mkfifo /mnt/workspace/.workbench'],
    ['everything in the workspace', () => 'rm -rf /mnt/workspace/* /mnt/workspace/.workbench || true'],
  ])('%s', async (_, command) => {
    const other = { id: '' };
    const loop = await start({ agent: (turn) => turn === 0 ? 'sleep 60' : command(other.id) });
    const asked = loop.server.calls.next({ operation: 'InvokeAgentRuntime' });
    const elsewhere = loop.deployment.startExecution(undefined, { prompt: 'x', taskId: 'other' }, { name: 'elsewhere' });
    await asked;
    other.id = runIdOf(elsewhere.arn);
    const { status, record } = await loop.run();
    elsewhere.abort();
    await elsewhere.result;
    expect({ status, stopped: record.session.stopped, error: record.session.error }).toEqual({ status: 'FAILED', stopped: true, error: undefined });
  });

  test('bash, which no longer responds', async () => {
    const loop = await start({ agent: 'echo right > value.txt; mkdir -p /tmp/bin' });
    loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'agentError', times: 999, match: ({ command = '' }) => !command.includes('job=prepare') });
    expect((await loop.run()).record.session).toMatchObject({ stopped: true });
  });
});

describe('a session in the input', () => {
  test('is refused, and neither used nor stopped, if no execution of the loop created it', async () => {
    const loop = await start();
    const victim = { id: 'somebody-elses-session-that-is-worth-a-lot' };
    mkdirSync(join(loop.workspace(victim), 'repo'), { recursive: true });
    writeFileSync(join(loop.workspace(victim), 'repo/precious'), 'yes');
    for (const session of [
      victim,
      ownSession(loop.executionOf('a').replace(/:execution:[^:]+/, ':execution:Other')),
      ownSession(loop.executionOf('a').replace('123456789012', '210987654321')),
      { ...ownSession(loop.executionOf('a')), endpointName: 'v7' },
    ]) {
      const { error, cause } = await loop.run({ session });
      expect({ error, cause }).toEqual({ error: 'CodingLoop.BadInput', cause: expect.stringContaining('\\"session\\" must be the whole') });
    }
    expect(loop.server.calls.all).toEqual([]);
  });

  test('is refused if its execution never existed, or is the run itself', async () => {
    const loop = await start();
    const never = await loop.run({ session: loop.sessionOf('never') });
    const own = await loop.run({ session: loop.sessionOf('own') }, { name: 'own' });
    expect([never, own].map(({ error }) => error)).toEqual(['CodingLoop.BadInput', 'CodingLoop.BadInput']);
    expect([never.cause, own.cause]).toEqual([expect.stringContaining('does not know the execution never'), expect.stringContaining('this run\'s own')]);
    expect(loop.server.calls.all.filter(({ sessionId }) => sessionId !== undefined)).toEqual([]);
  });

  test('is refused if its execution continued in another session', async () => {
    const loop = await start({ agent: 'date +%N > value.txt; echo right > value.txt' });
    const { record } = await loop.run({}, { name: 'first' });
    await loop.run({ session: record.session }, { name: 'guest' });
    const { error, cause } = await loop.run({ session: loop.sessionOf('guest') });
    expect({ error, cause }).toEqual({ error: 'CodingLoop.BadInput', cause: expect.stringContaining('continued in another session') });
  });

  test.each(['a.b', `${'x'.repeat(70)}`])('is accepted from an execution whose name is not in the id: %s', async (name) => {
    const loop = await start();
    const { record } = await loop.run({}, { name });
    const again = await loop.run({ session: record.session, prompt: 'Go on' });
    expect(again.record).toMatchObject({ outcome: 'NO_CHANGES', session: { id: record.session.id, workspace: 'RESUMED', stopped: true } });
  });

  test('is unverified if Step Functions does not respond: nothing runs in it, and it is not stopped', async () => {
    const loop = await start();
    const { record } = await loop.run();
    const before = askedOf(loop, record.session.id).length;
    loop.server.faults.add({ operation: 'DescribeExecution', at: 'beforeStart', kind: 'accessDenied', times: 999 });
    const { error, record: failed } = await loop.run({ session: record.session });
    expect({ error, session: failed.session }).toEqual({ error: 'Workbench.AccessDenied', session: expect.objectContaining({ stopped: false, error: expect.stringContaining('it is not known') }) });
    expect(askedOf(loop, record.session.id)).toHaveLength(before);
  });

  test('must meet the same rules if a state claims it without the first step', async () => {
    const loop = await start();
    const victim = 'somebody-elses-session-that-is-worth-a-lot';
    const outcome = await loop.deployment.function().invoke({
      operation: 'loop:stop',
      runtimeArn: loop.runtimeArn,
      execution: loop.executionOf('run'),
      config: { name: 'Loop', mount: '/mnt/workspace', depth: 1, author: { name: 'a', email: 'b' } },
      stop: true,
      green: false,
      state: { prompt: 'x', taskId: 'task-1', run: { id: 'x', session: { id: victim } }, error: { Error: 'Lambda.Unknown', Cause: '' } },
    });
    expect(outcome).toMatchObject({ result: { output: { session: { id: loop.sessionOf('run').id } } } });
    expect(askedOf(loop, victim)).toEqual([]);
  });
});

describe('a workspace', () => {
  test.each(BAD_MARKERS)('does not block a run by a marker that %s', async (_, command) => {
    const loop = await start();
    const { record } = await loop.run();
    const records = join(loop.workspace(record.session), '.workbench');
    execFileSync('bash', ['-c', `cd "$1" && touch marker && ${command}`, 'bash', records]);
    const again = await loop.run({ session: record.session, prompt: 'Go on' });
    expect({ outcome: again.record?.outcome, cause: again.cause }).toEqual({ outcome: 'NO_CHANGES', cause: undefined });
    expect(() => rmSync(join(loop.workspace(record.session), 'ran'))).toThrow('ENOENT');
  });

  test('blocks a run while another is active in it, even if the marker is gone', async () => {
    const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt' : 'rm -rf ../.workbench/marker; until [ -e ../free ]; do sleep 0.05; done' });
    const { record } = await loop.run();
    const asked = loop.server.calls.next({ operation: 'InvokeAgentRuntime' });
    const first = loop.run({ session: record.session }, { name: 'first' });
    await asked;
    const second = await loop.run({ session: record.session }, { name: 'second' });
    expect([second.error, second.cause]).toEqual(['CodingLoop.SessionBusy', expect.stringContaining(runIdOf(loop.executionOf('first')))]);
    writeFileSync(join(loop.workspace(record.session), 'free'), '');
    expect((await first).record.session.stopped).toBe(true);
    expect(loop.turns).toHaveLength(2);
  });

  test('is safe from a link in place of the clone: nothing outside of it is moved', async () => {
    const loop = await start({ loop: { gates: [Gate.command('test', 'true')] } });
    const { record } = await loop.run();
    const records = join(loop.workspace(record.session), '.workbench');
    rmSync(join(records, 'marker'), { force: true });
    symlinkSync('/etc/hostname', join(records, 'marker'));
    expect((await loop.run({ session: record.session, prompt: 'Go on' })).error).toBeUndefined();
    expect(execFileSync('ls', ['/etc/hostname'], { encoding: 'utf8' })).toBe('/etc/hostname\n');
  });
});
