import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecutionEvent } from '../../rehearsal/stepfunctions';
import { Commit, Gate } from '../../src';
import { LoopFixture, useLoops } from '../support/loop-fixture';

type Fault = Parameters<LoopFixture['server']['faults']['add']>[0];

// Honest accidents: the gates see something that the commit cannot contain.
const start = useLoops();
const changed = (loop: LoopFixture) => loop.git('diff-tree', '-r', '-z', '--name-only', '--no-renames', 'main', 'workbench/task-1').split('\0').slice(0, -1);
const IGNORING = { '.gitignore': 'lib/\nignored/\nnode_modules/\ndist/\n*.log\n__pycache__/\n.env\n' };
const NEEDS_LIB = [Gate.command('test', './test.sh && test -e lib/helper.js')];

describe('a new file in an ignored directory', () => {
  const agent = 'mkdir -p lib && echo x > lib/helper.js && echo right > value.txt';

  test('is reported to the agent, which can fix it', async () => {
    const loop = await start({ files: IGNORING, agent: (turn) => turn === 0 ? agent : 'sed -i /lib/d .gitignore', loop: { gates: NEEDS_LIB } });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, findings: { ignored: { names: ['lib/helper.js'], count: 1 } } });
    expect(loop.turns[1].feedback).toMatchObject({ findings: { ignored: { names: ['lib/helper.js'] } }, repair: 1 });
    expect(loop.turns[1].prompt).toContain('  lib/helper.js');
    expect(loop.jobs('gate-')).toHaveLength(1);
    expect(changed(loop)).toEqual(['.gitignore', 'lib/helper.js', 'value.txt']);
  });

  test('is hidden from the gates if it stays, so that they judge what is committed', async () => {
    const loop = await start({ files: IGNORING, agent, loop: { gates: NEEDS_LIB, maxRepairs: 2 } });
    const { error, record } = await loop.run();
    expect(['CodingLoop.Red', 'CodingLoop.Stuck']).toContain(error);
    expect(record.findings!.ignored!.names).toEqual(['lib/helper.js']);
    expect(loop.turns[2].prompt).toContain('lib/helper.js');
    expect(loop.branches()).toEqual(['main']);
  });

  test('is named in the record if no gate needs it, and the agent is asked once', async () => {
    const loop = await start({ files: IGNORING, agent });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, findings: { ignored: { names: ['lib/helper.js'] } } });
    expect(changed(loop)).toEqual(['value.txt']);
  });

  test('costs no turn if none is left', async () => {
    const loop = await start({ files: IGNORING, agent, loop: { maxRepairs: 0 } });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, findings: { ignored: { names: ['lib/helper.js'] } } });
  });

  test('is not reported if it existed before the agent started, or if builds, caches or gates left it', async () => {
    const loop = await start({
      files: { ...IGNORING, 'src/a.ts': 'x\n' },
      agent: 'mkdir -p dist/x node_modules/y src/__pycache__; touch dist/x/a.js node_modules/y/index.js src/__pycache__/a.pyc debug.log .env; echo right > value.txt',
      loop: { bootstrap: ['mkdir lib && touch lib/old.js'], gates: [Gate.command('test', 'touch lib/report.js; test -e lib/old.js && ./test.sh')] },
    });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1 });
    expect(record.findings).toBeUndefined();
  });
});

test('an ignored file that the bootstrap made and the agent changed is reported once, and stays where the gates look for it', async () => {
  const loop = await start({
    files: IGNORING,
    agent: (turn) => turn === 0 ? 'echo changed > lib/old.js; echo right > value.txt' : 'true',
    loop: { bootstrap: ['mkdir lib && touch lib/old.js lib/other.js'], gates: [Gate.command('test', 'grep -q changed lib/old.js && ./test.sh')] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, findings: { ignored: { names: ['lib/old.js'], count: 1 } } });
  expect(loop.turns[1].prompt).toContain('  lib/old.js');
});

describe('a file in a submodule that none of its commits contains', () => {
  const add = (name: string) => `git -c protocol.file.allow=always submodule --quiet add "$(git config remote.origin.url)" ${name}`;

  test.each(['new.txt', 'lib/new.txt'])('is reported to the agent: %s', async (file) => {
    const loop = await start({
      files: IGNORING,
      agent: (turn) => turn === 0 ? `${add('"a [b] &"')}; mkdir -p "a [b] &/lib"; echo x > "a [b] &/${file}"; echo right > value.txt` : 'true',
      loop: { gates: [Gate.command('test', `test -e "a [b] &/${file}" && ./test.sh`)], maxRepairs: 2 },
    });
    const { error, record } = await loop.run();
    expect(['CodingLoop.Red', 'CodingLoop.Stuck']).toContain(error);
    expect(record.findings!.ignored!.names).toEqual([`a [b] &/${file}`]);
  });

  test('is not reported if builds leave it', async () => {
    const loop = await start({ files: IGNORING, agent: `${add('sub')}; mkdir sub/dist; touch sub/dist/a sub/debug.log; echo right > value.txt` });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1 });
  });
});

test('fails a run with the name of a file that git refuses', async () => {
  const loop = await start({ agent: 'mkdir .GIT; echo x > .GIT/x; echo right > value.txt' });
  const { error, record } = await loop.run();
  expect([error, record.error!.message]).toEqual(['CodingLoop.SnapshotFailed', expect.stringContaining('git cannot store a file with this name: .GIT/x')]);
  expect(loop.branches()).toEqual(['main']);
});

describe.each<[string, string, Fault?]>([
  ['', 'true'],
  ['in a microVM that replaced the one in which the run started', 'true', { operation: 'InvokeAgentRuntime', at: 'beforeStart', kind: 'replaceMicrovm' }],
  ['by a command that contains one of ours', ': .workbench'],
])('a file that the agent writes while a gate runs, %s', (...[, word, fault]) => {
  test('fails the gate, and is part of the change in the next round', async () => {
    const loop = await start({
      agent: (turn) => turn === 0
        ? `echo right > value.txt; bash -c '${word}; until [ -e /tmp/gate ]; do sleep 0.02; done; echo late > late.txt; touch /tmp/written' >/dev/null 2>&1 </dev/null &`
        : 'true',
      loop: { gates: [Gate.command('test', 'code=0; ./test.sh || code=$?; touch /tmp/gate; until [ -e /tmp/written ]; do sleep 0.02; done; exit $code')] },
    });
    const added = fault && loop.server.faults.add({ ...fault, times: 1 });
    const { record } = await loop.run();
    expect(added?.fired).toBe(fault && 1);
    expect(loop.turns.at(-1)!.feedback).toMatchObject({ verdict: 'FAILED', exitCode: 0, changedFiles: ['late.txt'] });
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(changed(loop)).toEqual(['late.txt', 'value.txt']);
  });
});

test('an empty directory is hidden from the gates, and reported to the agent', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'mkdir -p data/empty other; echo right > value.txt' : 'mkdir -p data/empty && touch data/empty/.keep',
    loop: { gates: [Gate.command('test', './test.sh && test -d data/empty')] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, findings: { empty: { names: ['data', 'other'], count: 2 } } });
  expect(loop.turns[1].prompt).toContain('Directories without a file, which git cannot hold and which were removed: data, other');
  expect(changed(loop)).toEqual(['data/empty/.keep', 'value.txt']);
});

describe('a symbolic link that leads out of the clone', () => {
  const gates = [Gate.command('test', './test.sh && test -e link')];

  test.each([
    ['by its whole path', 'echo x > /tmp/x; ln -sfn /tmp/x link'], ['into the clone by its whole path', 'ln -sfn "$PWD/value.txt" link'], ['upwards', 'echo x > ../x; ln -sfn ../x link'],
  ])('%s is reported to the agent, and not committed if it stays', async (_, script) => {
    const loop = await start({ agent: `echo right > value.txt; ${script}`, loop: { gates } });
    const { error, record } = await loop.run();
    expect({ error, turns: loop.turns.length, findings: record.findings }).toEqual({ error: 'CodingLoop.Stuck', turns: 2, findings: { links: { names: ['link'], count: 1 } } });
    expect(loop.turns[1].prompt).toContain('  link');
    expect(loop.branches()).toEqual(['main']);
  });

  test('can be fixed by the agent', async () => {
    const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt; ln -s "$PWD/value.txt" link' : 'ln -sf value.txt link', loop: { gates } });
    expect((await loop.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  });

  test('is allowed if it leads into the image', async () => {
    const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt; ln -s /etc link' : 'true', loop: { gates } });
    expect((await loop.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, findings: { links: { names: ['link'] } } });
  });
});

test('files that a gate leaves are named in its record and moved into the run\'s records with their directories', async () => {
  const loop = await start({
    loop: { gates: [Gate.command('test', 'mkdir -p report/a && touch report/a/b junit.xml && chmod 0555 report/a; ./test.sh'), Gate.command('clean', 'test ! -e report -a ! -e junit.xml')] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', gates: [{ left: { names: ['junit.xml', 'report/a/b'], count: 2 } }, { verdict: 'PASSED' }] });
  expect(record.gates[1]).not.toHaveProperty('left');
});

describe('a file that is written between the last gate and the commit', () => {
  /** Writes the file when the run first enters this state. */
  const writing = (loop: LoopFixture, name: string) => {
    let written = false;
    const onEvent = (event: ExecutionEvent) => {
      if (event.type !== 'StateEntered' || event.state.name !== name || written) return;
      written = true;
      const { run } = event.state.input as { readonly run: { readonly session: { readonly id: string } } };
      writeFileSync(join(loop.workspace(run.session), 'repo/late.txt'), 'late\n');
    };
    return loop.run({}, { onEvent });
  };

  test('is judged by the gates, and is part of the change', async () => {
    const loop = await start();
    expect((await writing(loop, 'Commit and push')).record).toMatchObject({ outcome: 'COMMITTED', rounds: 1 });
    expect(loop.jobs('gate-')).toHaveLength(2);
    expect(changed(loop)).toEqual(['late.txt', 'value.txt']);
  });

  test('fails a run that cannot return to its gates, and nothing is committed', async () => {
    const loop = await start({ loop: { commit: Commit.local() } });
    const { error, record } = await writing(loop, 'Commit');
    expect({ error, message: record.error!.message }).toEqual({ error: 'CodingLoop.CommitFailed', message: expect.stringContaining('files were written after the gates had passed, so nothing is committed: late.txt') });
  });
});
