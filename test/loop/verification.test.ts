import { Gate, Verification } from '../../src';
import { useLoops } from '../support/loop-fixture';

// A verification: the recorded tree again, in a session that the agent never was in.
const start = useLoops();
const verification = Verification.inFreshSession();

test('a green change is verified in another session, committed there, and both sessions are stopped', async () => {
  const loop = await start({ loop: { verification, bootstrap: ['echo ready > ignored.ready'] }, files: { '.gitignore': 'ignored.ready\n' } });
  const { status, record, cause } = await loop.run();
  if (status !== 'SUCCEEDED') console.log(cause, loop.logs.slice(-12).join('\n'));
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verified: true, verification: { separateUser: true, stopped: true, gates: [{ name: 'test', verdict: 'PASSED' }] } });
  expect(record.verification!.sessions).toHaveLength(1);
  expect(record.verification!.sessions[0]).not.toBe(record.session.id);
  expect(loop.show()).toBe('right\n');
  const stopped = loop.server.calls.of('StopRuntimeSession').map(({ sessionId }) => sessionId);
  expect(new Set(stopped)).toEqual(new Set([record.session.id, ...record.verification!.sessions]));
});

test('a dependency that no manifest names passes in the workspace, fails in a clean checkout, and is repaired', async () => {
  const loop = await start({
    files: { '.gitignore': 'deps/\n', 'deps.txt': '', 'install.sh': '#!/bin/bash\nmkdir -p deps && while read -r name; do touch "deps/$name"; done <deps.txt\n' },
    // The program is on ephemeral disk, where the gates of the agent's session find it.
    agent: (turn) => turn === 0 ? 'echo right > value.txt; mkdir -p /tmp/deps && touch /tmp/deps/left-pad' : 'echo left-pad >> deps.txt',
    loop: { verification, bootstrap: ['./install.sh'], gates: [Gate.command('test', '(test -e deps/left-pad || test -e /tmp/deps/left-pad) && ./test.sh')] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, verified: true });
  expect(record.verification!.sessions).toHaveLength(2);
  expect(loop.turns[1].prompt).toContain('not in a clean checkout');
  expect(loop.turns[1].feedback).toMatchObject({ gate: 'test', cleanCheckout: true });
  expect(loop.show(undefined, 'deps.txt')).toBe('left-pad\n');
});
