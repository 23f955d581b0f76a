import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MovableClock } from '../../rehearsal/agentcore';
import { AgentTurn, Gate, GitRepository } from '../../src';
import { IN_PROCESS, LoopFixture, useLoops } from '../support/loop-fixture';

process.env[IN_PROCESS] = '1'; // coverage sees it
const start = useLoops();
const HOUR = 3_600_000;
/** Runs until a file allows it to end; the test waits for the file that it creates. */
const UNTIL_FREE = 'touch /mnt/workspace/waiting; until [ -e /mnt/workspace/free ]; do sleep 0.05; done';

async function appears(path: string): Promise<void> {
  for (;;) {
    try {
      readFileSync(path);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Replaces the microVM while a command waits in it, as `UNTIL_FREE` does, and lets the next such command end. */
async function runWithReplacedMicrovm(loop: LoopFixture) {
  const session = loop.sessionOf('run');
  const run = loop.run({}, { name: 'run' });
  await appears(join(loop.workspace(session), 'waiting'));
  await loop.server.replaceMicrovm(loop.runtimeArn, session.id);
  writeFileSync(join(loop.workspace(session), 'free'), '');
  return run;
}

/** Replaces the microVM in the middle of each job whose name starts with the prefix. */
function loseEachTime(loop: LoopFixture, job: string): void {
  loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand',
    at: 'midOutput',
    kind: 'replaceMicrovm',
    times: 99,
    afterBytes: 400,
    match: ({ command = '' }) => new RegExp(`workbench '?mode=start'? .*job=${job}`).test(command),
  });
}

test('a gate whose microVM is replaced runs again under another name, and the run continues', async () => {
  const loop = await start({ loop: { gates: [Gate.command('test', `./test.sh && { [ -e /mnt/workspace/free ] || { ${UNTIL_FREE}; }; }`)] } });
  const { record, cause } = await runWithReplacedMicrovm(loop);
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.jobs('gate-test')).toHaveLength(2);
  expect(loop.turns).toHaveLength(1);
});

test('fails when a gate is lost repeatedly', async () => {
  const loop = await start({ loop: { gates: [Gate.command('test', 'printf "%0999d" 0; sleep 60')] } });
  loseEachTime(loop, 'gate-test');
  const { error, record } = await loop.run();
  expect(error).toBe('CodingLoop.Lost');
  expect(record.error!.message).toContain('4 times');
  expect(record.session.stopped).toBe(true);
  expect(loop.jobs('gate-test')).toHaveLength(4);
  expect(loop.branches()).toEqual(['main']);
});

test('fails when one of the loop\'s own steps is lost repeatedly', async () => {
  const loop = await start();
  const faults = ['snapshot-0', 'snapshot-1-0', 'snapshot-2-0', 'snapshot-3-0'].map((job) => loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand',
    at: 'midOutput',
    kind: 'replaceMicrovm',
    // Right after the line that says that the job exists.
    afterBytes: `@job ${randomUUID()} ${job}-${'0'.repeat(12)} started\n`.length,
    match: ({ command = '' }) => command.includes(`job=${job}-`),
  }));
  const { error, record } = await loop.run();
  expect({ error, message: record.error!.message }).toEqual({ error: 'CodingLoop.Lost', message: expect.stringMatching(/"snapshot" was lost 4 times/) });
  expect(faults.map(({ fired }) => fired)).toEqual([1, 1, 1, 1]);
  expect(record.session.stopped).toBe(true);
});

test('a lost turn that is a command is repeated a bounded number of times', async () => {
  const loop = await start({ loop: { turn: AgentTurn.command('printf "%0999d" 0; sleep 60') } });
  loseEachTime(loop, 'turn');
  const { error } = await loop.run();
  expect(error).toBe('CodingLoop.Lost');
  expect(loop.jobs('turn')).toHaveLength(4);
});

test('fails when the workspace is wiped during the run, and commits nothing', async () => {
  const loop = await start();
  const fault = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'wipeWorkspace', match: ({ command = '' }) => /job=gate-test/.test(command),
  });
  const { error, record } = await loop.run();
  expect(fault.fired).toBe(1);
  expect(error).toBe('CodingLoop.WorkspaceLost');
  expect(record.session.stopped).toBe(true);
  expect(loop.branches()).toEqual(['main']);
});

test('a run resumes the session of an earlier output on the next day', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt; echo first > first' : 'cat first && echo second > second' });
  const first = (await loop.run()).record;
  await (loop.server.clock as MovableClock).advance(24 * HOUR);
  const { record, cause } = await loop.run({ session: first.session, prompt: 'Go on' });
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect([first.session.workspace, record.session]).toEqual(['NEW', { ...first.session, workspace: 'RESUMED' }]);
  expect(loop.git('log', '--format=%s', 'workbench/task-1')).toBe('Go on\nMake it right\nthe beginning\n');
});

test('a run resumes the session of a failed run with its uncommitted work', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt; mkdir new && echo mine > new/file' : 'cat new/file && echo right > value.txt',
    loop: { maxRepairs: 0, bootstrap: ['mkdir -p env && touch env/x'] },
  });
  const first = await loop.run();
  expect(first.error).toBe('CodingLoop.Red');
  const { record, cause } = await loop.run({ session: first.record.session });
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.show(undefined, 'new/file')).toBe('mine\n');
  expect(loop.git('ls-tree', '--name-only', 'workbench/task-1')).not.toContain('env');
});

test('fails when a session is resumed with another repository', async () => {
  const loop = await start({
    loop: (shared) => ({ repository: GitRepository.fromUrl(`file://${shared}/remote.git`, { allow: ['https://127.0.0.1:1/*'] }) }),
  });
  const { record } = await loop.run();
  const { error, record: failed } = await loop.run({ session: record.session, repository: { url: 'https://127.0.0.1:1/other.git' } });
  expect(error).toBe('CodingLoop.CheckoutFailed');
  expect(failed.error!.message).toContain('use another session');
});

test('fails when a session is resumed with another ref than it started from', async () => {
  const loop = await start();
  loop.git('branch', 'release', 'main');
  const { record } = await loop.run();
  const { error, record: failed } = await loop.run({ session: record.session, repository: { ref: 'release' } });
  expect(error).toBe('CodingLoop.CheckoutFailed');
  expect(failed.error!.message).toContain('the workspace was started from the default branch: omit "repository.ref"');
});

test('a bootstrap whose microVM is replaced runs again under another name, and the run continues', async () => {
  const loop = await start({ loop: { bootstrap: [`[ -e /mnt/workspace/free ] || { ${UNTIL_FREE}; }`] } });
  const { record, cause } = await runWithReplacedMicrovm(loop);
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.jobs('bootstrap')).toHaveLength(3); // lost, completed, and the recording of what it left
});

test('fails when the bootstrap is lost repeatedly', async () => {
  const loop = await start({ loop: { bootstrap: ['printf "%0999d" 0; sleep 60'] } });
  loseEachTime(loop, 'bootstrap-');
  const { error, record } = await loop.run();
  expect([error, record.error!.message]).toEqual(['CodingLoop.Lost', expect.stringContaining('the bootstrap was lost 4 times')]);
});

test('fails as inert when a command of the bootstrap is not in the image', async () => {
  const loop = await start({ loop: { bootstrap: ['no-such-program'] } });
  expect((await loop.run()).error).toBe('CodingLoop.Inert');
});

describe('two runs in one session', () => {
  test('fails the second immediately, does not affect the first, and does not stop its session', async () => {
    const loop = await start({ loop: { gates: [Gate.command('test', `./test.sh && { ${UNTIL_FREE}; }`)] } });
    const session = loop.sessionOf('first');
    const first = loop.run({}, { name: 'first' });
    await appears(join(loop.workspace(session), 'waiting'));
    const second = await loop.run({ session }, { name: 'second' });
    expect(second.error).toBe('CodingLoop.SessionBusy');
    expect(second.record).toMatchObject({ outcome: 'CodingLoop.SessionBusy', taskId: 'task-1', rounds: 0, gates: [], session: { id: session.id }, error: { name: 'CodingLoop.SessionBusy' } });
    expect(second.cause).toContain('first');
    expect(loop.server.calls.of('StopRuntimeSession')).toEqual([]);
    writeFileSync(join(loop.workspace(session), 'free'), '');
    const { record, cause } = await first;
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(loop.turns).toHaveLength(1);
  });
});

describe('the end of a run', () => {
  test('reports a failed stop in the result of a run that has committed', async () => {
    const loop = await start();
    const fault = loop.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'internal', times: 99 });
    const { status, record } = await loop.run();
    expect(status).toBe('SUCCEEDED');
    expect(record).toMatchObject({ outcome: 'COMMITTED', session: { stopped: false, error: expect.stringContaining('Workbench.ServerError') } });
    expect(fault.fired).toBeGreaterThan(6);
  });

  test('retries until the session is stopped', async () => {
    const loop = await start();
    loop.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'conflict', times: 4 });
    expect((await loop.run()).record.session).toMatchObject({ stopped: true });
  });

  test.each(['loop:turn', 'loop:snapshot'])('fails when a step starts after the run\'s timeout: %s', async (operation) => {
    const loop = await start();
    const run = {
      id: 'run',
      taskId: 'task-1',
      session: loop.sessionOf('run'),
      mount: '/mnt/workspace',
      workspace: '/mnt/workspace/repo',
      repository: { url: 'https://127.0.0.1/a.git' },
      branch: 'b',
      startedAt: 1_000,
      deadline: 1_060,
    };
    const outcome = await loop.deployment.function().invoke({
      operation,
      runtimeArn: loop.runtimeArn,
      execution: loop.executionOf('run'),
      timeoutSeconds: 100,
      config: { name: 'Loop', mount: '/mnt/workspace', depth: 1, author: { name: 'a', email: 'b' }, push: true },
      state: { prompt: 'a', taskId: 'task-1', run, loop: { next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: '', gates: [] } },
    });
    expect(outcome).toMatchObject({ failure: { errorType: 'CodingLoop.TimedOut', errorMessage: 'the run took longer than 60 seconds' } });
    expect(loop.server.calls.all).toEqual([]);
  });
});

test('a run in a session that is still starting waits for it, and starts nothing twice', async () => {
  const loop = await start();
  const fault = loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'coldStart', times: 8, seconds: Infinity });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect([fault.fired, loop.turns.length, loop.jobs('prepare').length]).toEqual([8, 1, 1]);
});

test('fails immediately when the container fails after the first step has returned', async () => {
  const loop = await start();
  const fault = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'agentError', times: 99, match: ({ command = '' }) => command.includes('job=snapshot-'),
  });
  const { error } = await loop.run();
  expect([error, fault.fired]).toEqual(['Workbench.ContainerError', 1]);
});
