import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Size } from 'aws-cdk-lib';
import { Gate, Verification } from '../../src';
import { IN_PROCESS, useLoops } from '../support/loop-fixture';

// A verification that does not come to its end in its first session, or cannot be stopped, and the sizes of changes.
// The handlers run in this process, where coverage sees them.
process.env[IN_PROCESS] = '1';

const start = useLoops();
const verification = Verification.inFreshSession();

test.each([
  ['its microVM is replaced in the middle of a gate', 'gate-test', 'midOutput'],
  ['its microVM is replaced before the change arrives', 'receive', 'beforeStart'],
  ['its microVM is replaced before the commit is made there', 'commit', 'beforeStart'],
] as const)('a change is verified again in another session if %s', async (_, job, at) => {
  const loop = await start({ loop: { verification } });
  const fault = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand',
    at,
    kind: 'replaceMicrovm',
    match: ({ command = '', sessionId = '' }) => sessionId.startsWith('verify-1-') && command.includes(`job=${job}-`),
  });
  const { record, cause } = await loop.run();
  expect([fault.fired, cause]).toEqual([1, undefined]);
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verified: true, verification: { stopped: true } });
  expect(record.verification!.sessions.map((id) => id.slice(0, 9))).toEqual(['verify-1-', 'verify-2-']);
  expect(loop.show()).toBe('right\n');
});

test('the record says so if the session of a verification cannot be stopped', async () => {
  const loop = await start({ loop: { verification } });
  loop.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'internal', times: 99, match: ({ sessionId = '' }) => sessionId.startsWith('verify-') });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', session: { stopped: true }, verification: { stopped: false, error: expect.stringMatching(/^verify-1-\w+: Workbench\.ServerError: /) } });
});

test('a change of a megabyte travels in pieces', async () => {
  const loop = await start({ agent: 'echo right >value.txt; head -c 1000000 /dev/urandom >data.bin', loop: { verification } });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, verified: record?.verified, cause }).toEqual({ outcome: 'COMMITTED', verified: true, cause: undefined });
  expect(loop.jobs('piece-').length).toBeGreaterThan(10);
  expect(loop.git('cat-file', '-s', 'workbench/task-1:data.bin').trim()).toBe('1000000');
});

test('fails with the limit in the message if a change is larger than the maximum', async () => {
  const loop = await start({ agent: 'echo right >value.txt; head -c 20000 /dev/urandom >data.bin', loop: { verification: Verification.inFreshSession({ maxPackSize: Size.kibibytes(10) }) } });
  const { error, record } = await loop.run();
  expect([error, record.error!.message]).toEqual(['CodingLoop.VerificationFailed', expect.stringMatching(/the change has 20\d{3} bytes as a pack, and a verification takes at most 10240: raise "maxPackSize"/)]);
  expect(loop.branches()).toEqual(['main']);
});

test('nothing outside of the clone is moved if a bootstrap replaces a directory by a link, and the gates may write to what is restored', async () => {
  const loop = await start({
    files: { 'dir/tool': 'of the repository\n' },
    loop: {
      verification,
      bootstrap: ['mkdir -p /tmp/outside && touch /tmp/outside/tool && rm -r dir && ln -s /tmp/outside dir'],
      gates: [Gate.command('test', './test.sh && [ -e /tmp/outside/tool ] && [ ! -L dir ] && [ -w dir/tool ] && [ -w dir ]')],
    },
  });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
});

test('the commit in a verification follows no link that the code under test has put into the clone', async () => {
  const loop = await start({
    loop: (shared) => ({
      verification,
      gates: [Gate.command('test', `./test.sh && { [[ $PWD == /mnt/* ]] || { rm -r .git/config .git/index .git/objects/info && for file in config index objects/info; do ln -s ${shared}/$(basename $file) .git/$file; done; }; }`)],
    }),
  });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(['config', 'index', 'info'].filter((name) => existsSync(join(loop.shared, name)))).toEqual([]);
});
