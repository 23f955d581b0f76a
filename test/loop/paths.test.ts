import { Duration } from 'aws-cdk-lib';
import { Commit, Gate, SessionPolicy } from '../../src';
import { IN_PROCESS, useLoops } from '../support/loop-fixture';

process.env[IN_PROCESS] = '1'; // coverage sees it
const start = useLoops();

test('a run that is green at the first attempt commits and stops its session', async () => {
  const loop = await start();
  const { status, record } = await loop.run();
  expect({ status, outcome: record.outcome, rounds: record.rounds }).toEqual({ status: 'SUCCEEDED', outcome: 'COMMITTED', rounds: 1 });
  expect(record.commit).toMatchObject({ branch: 'workbench/task-1', pushed: true });
  expect(record.session.stopped).toBe(true);
  expect(loop.show()).toBe('right\n');
  expect(loop.git('rev-parse', 'workbench/task-1').trim()).toBe(record.commit!.id);
});

test('a run that is red is repaired with the gate\'s output, and then committed', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo rihgt > value.txt' : 'echo right > value.txt' });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, gates: [{ name: 'test', verdict: 'PASSED' }] });
  const [first, second] = loop.turns;
  expect(first).toEqual({ prompt: 'Make it right', taskId: 'task-1', round: 0, workspace: '/mnt/workspace/repo' });
  expect(second.feedback).toMatchObject({
    gate: 'test',
    command: './test.sh',
    verdict: 'FAILED',
    exitCode: 1,
    output: 'value is rihgt\n',
    repair: 1,
    maxRepairs: 3,
    logPath: expect.stringMatching(/^\/mnt\/workspace\/\.workbench\/jobs\/.*\/log$/),
  });
  for (const part of ['Make it right', '"test"', 'exit code 1', './test.sh', 'value is rihgt', 'repair 1 of 3']) expect(second.prompt).toContain(part);
  expect(loop.git('rev-list', '--count', 'workbench/task-1').trim()).toBe('2');
});

test('a run that stays red fails with the record as its cause, and nothing is committed', async () => {
  const loop = await start({ agent: (turn) => `echo wrong-${'abc'[turn]} > value.txt`, loop: { maxRepairs: 2 } });
  const { status, error, record } = await loop.run();
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'CodingLoop.Red' });
  expect(record).toMatchObject({ outcome: 'CodingLoop.Red', rounds: 3, gates: [{ name: 'test', verdict: 'FAILED' }], session: { stopped: true } });
  expect(record.commit).toBeUndefined();
  expect(loop.turns).toHaveLength(3);
  expect(loop.branches()).toEqual(['main']);
});

test('a run without repairs is red after one turn', async () => {
  const loop = await start({ agent: 'echo wrong-a > value.txt', loop: { maxRepairs: 0 } });
  expect(await loop.run()).toMatchObject({ error: 'CodingLoop.Red', record: { rounds: 1 } });
});

test('a run is stuck when two turns leave the same files', async () => {
  const loop = await start({ agent: 'echo wrong-a > value.txt' });
  const { error, record } = await loop.run();
  expect(error).toBe('CodingLoop.Stuck');
  expect(loop.turns).toHaveLength(2);
  expect(record.session.stopped).toBe(true);
  expect(loop.jobs('gate-')).toHaveLength(2); // the gate may be flaky
});

test('a gate that passes on the files on which it failed is flaky, and the run continues', async () => {
  const gates = [Gate.command('flaky', 'echo "port $RANDOM"; [[ -e /mnt/workspace/seen ]] || ! touch /mnt/workspace/seen'), Gate.command('test', './test.sh')];
  const loop = await start({ agent: 'echo right > value.txt', loop: { gates } });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, gates: [{ name: 'flaky', verdict: 'FLAKY' }, { name: 'test', verdict: 'PASSED' }] });
});

test('another gate that fails on the same files is a repair', async () => {
  const gates = [Gate.command('flaky', '[[ -e /mnt/workspace/seen ]] || ! touch /mnt/workspace/seen'), Gate.command('test', './test.sh')];
  const loop = await start({ agent: (turn) => turn < 2 ? 'echo wrong-a > value.txt' : 'echo right > value.txt', loop: { gates } });
  expect((await loop.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 3 });
});

test.each([
  ['fewer failing tests', 'printf "%s tests failed\\n" $((3 - n))'],
  ['more coverage', 'echo "coverage: $((75 + n)).5 % of lines"'],
])('%s are progress, and the run is red only when no repair is left', async (_, says) => {
  const loop = await start({
    agent: (turn) => `echo ${turn} > n`,
    files: { 'test.sh': `#!/bin/bash\nn=$(<n)\n${says}\nexit 1\n` },
    loop: { maxRepairs: 2 },
  });
  expect(await loop.run()).toMatchObject({ error: 'CodingLoop.Red', record: { rounds: 3 } });
});

test('a run is stuck when two turns leave the same failure, even with other times and line numbers', async () => {
  const loop = await start({
    agent: (turn) => `echo ${turn} > other.txt`,
    files: { 'test.sh': '#!/bin/bash\necho "failed after $(date +%s%N) ns at 0x$RANDOM, 1.$RANDOM s, a.py:$RANDOM"; exit 1\n' },
  });
  expect(await loop.run()).toMatchObject({ error: 'CodingLoop.Stuck', record: { rounds: 2 } });
});

test('a gate whose command does not exist ends the run without another turn', async () => {
  const loop = await start({ loop: { gates: [Gate.command('lint', 'no-such-linter --all')] } });
  const { error, record } = await loop.run();
  expect(error).toBe('CodingLoop.Inert');
  expect(record).toMatchObject({ gates: [{ name: 'lint', verdict: 'INERT', exitCode: 127 }], session: { stopped: true } });
  expect(loop.turns).toHaveLength(1);
});

test('a gate that takes too long is stopped, and the agent is told', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo slow > value.txt' : 'echo right > value.txt',
    loop: { gates: [Gate.command('test', '[[ $(cat value.txt) == right ]] || sleep 60', { timeout: Duration.seconds(1) })] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(loop.turns[1].feedback!.verdict).toBe('TIMED_OUT');
  expect(loop.turns[1].prompt).toContain('did not end within its time limit');
});

test('a gate whose output matches "failFast" is stopped early', async () => {
  const loop = await start({ loop: { gates: [Gate.command('test', 'echo FATAL; sleep 60', { failFast: ['^FATAL'] })], maxRepairs: 0 } });
  expect(await loop.run()).toMatchObject({ error: 'CodingLoop.Red', record: { gates: [{ verdict: 'FAILED' }] } });
});

test('the second of two gates counts as much as the first, and both run in each round', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo fine > value.txt' : 'echo right > value.txt',
    loop: { gates: [Gate.command('lint', 'grep -q . value.txt'), Gate.command('test', './test.sh')] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, gates: [{ name: 'lint', verdict: 'PASSED' }, { name: 'test', verdict: 'PASSED' }] });
  expect(loop.turns[1].feedback!.gate).toBe('test');
  expect(loop.jobs('gate-lint')).toHaveLength(2);
  expect(loop.jobs('gate-test')).toHaveLength(2);
  expect(loop.git('log', '-1', '--format=%(trailers:key=Workbench-Gate,valueonly)', 'workbench/task-1'))
    .toMatch(/^lint PASSED in \d+ s\ntest PASSED in \d+ s\n/);
});

test('a gate has its own directory and environment, which override those of the loop', async () => {
  const loop = await start({
    files: { 'app/here': '' },
    loop: {
      environment: { A: 'loop', B: 'loop' },
      gates: [Gate.command('test', '[[ -e here && $A$B == loopgate ]]', { workingDirectory: 'app', environment: { B: 'gate' } })],
    },
  });
  expect((await loop.run()).record.outcome).toBe('COMMITTED');
});

test('a run that commits locally pushes nothing, and its resumed session continues from the commit', async () => {
  const loop = await start({ agent: (turn) => `echo right > value.txt; echo ${turn} > turn`, loop: { commit: Commit.local() } });
  const first = (await loop.run()).record;
  expect(first.commit).toMatchObject({ pushed: false });
  expect(loop.branches()).toEqual(['main']);
  const second = (await loop.run({ session: first.session })).record;
  expect(second.outcome).toBe('COMMITTED');
});

test('a session that is left running is not stopped, and its workspace is released', async () => {
  const loop = await start({ loop: { sessionPolicy: SessionPolicy.LEAVE } });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', session: { stopped: false } });
  expect(record.session.error).toBeUndefined();
  expect(loop.server.calls.of('StopRuntimeSession')).toEqual([]);
  expect((await loop.run({ session: record.session })).record.outcome).toBe('NO_CHANGES');
});

test('bootstrap commands run one after the other, and the files that they leave are not committed', async () => {
  const loop = await start({
    agent: 'echo right > value.txt; ls > seen.txt',
    loop: { bootstrap: ['mkdir -p "env [a] *" && cd "env [a] *" && touch x', 'test -d "env [a] *"', 'echo y > \'!loose \''] },
  });
  const { record } = await loop.run();
  expect(record.outcome).toBe('COMMITTED');
  expect(loop.show(undefined, 'seen.txt')).toContain('env [a] *\n');
  expect(loop.git('ls-tree', '-r', '--name-only', 'workbench/task-1').trim().split('\n').sort())
    .toEqual(['.gitignore', 'seen.txt', 'test.sh', 'value.txt']);
});

test('fails with the output when a bootstrap command fails, before the agent is asked', async () => {
  const loop = await start({ loop: { bootstrap: ['echo installing; false', 'echo never'] } });
  const { error, record } = await loop.run();
  expect(error).toBe('CodingLoop.BootstrapFailed');
  expect(record.error!.message).toContain('installing');
  expect(record.error!.message).not.toContain('never');
  expect(record.session.stopped).toBe(true);
  expect([loop.turns, record.rounds]).toEqual([[], 0]);
});

test('reports the beginning and the end of a failed bootstrap\'s output', async () => {
  const loop = await start({ loop: { bootstrap: ['for number in {1000..1999}; do echo "step $number"; done; exit 3'] } });
  const { record } = await loop.run();
  const lines = record.error!.message.split('\n');
  expect(lines.slice(1, 3)).toEqual(['step 1000', 'step 1001']);
  expect(lines.filter((line) => line.startsWith('['))).toEqual(['[…]']);
  expect(lines.filter((line) => line !== '').at(-1)).toBe('step 1999');
  expect(record.error!.message.length).toBeLessThan(4_200);
});

test('runs no turn when the bootstrap needs a program that is not in the image', async () => {
  const loop = await start({ loop: { bootstrap: ['no-such-program'] } });
  const { error, record } = await loop.run();
  expect([error, loop.turns, record.rounds]).toEqual(['CodingLoop.Inert', [], 0]);
});

test('fails when the agent reports that its turn failed, and stops the session', async () => {
  const loop = await start({ agent: 'exit 1' });
  const { error, record } = await loop.run();
  expect(error).toBe('Workbench.ContainerError');
  expect(record.session.stopped).toBe(true);
  expect(loop.turns).toHaveLength(1);
});
