import { Commit, Gate } from '../../src';
import { useLoops } from '../support/loop-fixture';

// A turn that changes nothing that can be committed: only the gates know whether there was something to do.
const start = useLoops();
const NOTHING = 'mkdir -p empty/directory ignored && echo x > ignored/.file';
const GREEN = { files: { 'value.txt': 'right\n' } };

test.each([['pushes', {}], ['commits locally', { commit: Commit.local() }]])('a run that %s and changes nothing succeeds with the gates\' verdicts if all gates pass, and commits nothing', async (_, loop) => {
  const run = await start({ ...GREEN, agent: NOTHING, loop });
  const { status, record } = await run.run();
  expect(status).toBe('SUCCEEDED');
  expect(record).toMatchObject({ outcome: 'NO_CHANGES', rounds: 1, gates: [{ name: 'test', verdict: 'PASSED' }], session: { stopped: true } });
  expect(record).not.toHaveProperty('commit');
  expect(run.jobs('gate-')).toHaveLength(1);
  expect(run.branches()).toEqual(['main']);
});

test('a run that changes nothing is repaired if a gate is red, and the agent is told that it changed nothing', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? NOTHING : 'echo right > value.txt' });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(loop.turns[1].feedback).toMatchObject({ gate: 'test', verdict: 'FAILED', unchanged: true });
  expect(loop.turns[1].prompt).toContain('You have not changed anything that can be committed: the check "test" failed with exit code 1');
});

test('a run that repeatedly changes nothing is stuck while a gate is red, and does not succeed', async () => {
  const loop = await start({ agent: NOTHING });
  const { status, error, record } = await loop.run();
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'CodingLoop.Stuck' });
  expect(record).toMatchObject({ rounds: 2, error: { message: expect.stringContaining('the agent has changed nothing') }, feedback: { unchanged: true } });
  expect(loop.jobs('gate-')).toHaveLength(2); // the gate may be flaky
});

test('a run that changes nothing is red if there are no repairs', async () => {
  const loop = await start({ agent: NOTHING, loop: { maxRepairs: 0 } });
  expect(await loop.run()).toMatchObject({ status: 'FAILED', error: 'CodingLoop.Red', record: { rounds: 1, gates: [{ verdict: 'FAILED' }] } });
  expect(loop.branches()).toEqual(['main']);
});

test('a gate that passes the second time on unchanged files is flaky, and the run succeeds', async () => {
  const gates = [Gate.command('flaky', '[[ -e /mnt/workspace/seen ]] || ! touch /mnt/workspace/seen')];
  const loop = await start({ agent: NOTHING, loop: { gates } });
  expect((await loop.run()).record).toMatchObject({ outcome: 'NO_CHANGES', rounds: 2, gates: [{ name: 'flaky', verdict: 'FLAKY' }] });
});

test('the first change after a turn without changes does not count as a repetition, even if the same gate fails in the same way', async () => {
  const loop = await start({ agent: (turn) => ['true', 'echo a > a.txt', 'echo right > value.txt'][turn] });
  expect((await loop.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 3 });
});

test('files written after the gates have passed on unchanged files are judged, too', async () => {
  const loop = await start({
    ...GREEN,
    agent: 'bash -c "until [ -e /tmp/gate ]; do sleep 0.02; done; echo late > late.txt; touch /tmp/written" >/dev/null 2>&1 </dev/null &',
    loop: { gates: [Gate.command('test', 'code=0; ./test.sh || code=$?; touch /tmp/gate; until [ -e /tmp/written ]; do sleep 0.02; done; exit $code')] },
  });
  expect((await loop.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(loop.show(undefined, 'late.txt')).toBe('late\n');
});
