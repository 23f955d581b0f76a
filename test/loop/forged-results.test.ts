import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src';
import { useLoops } from '../support/loop-fixture';

// Output of file names, hooks and remotes is reported next to what a run's own script found out; it decides nothing.
const start = useLoops();

test('a directory name that contains a tree id does not change the recorded tree', async () => {
  const loop = await start({
    agent: (turn) => turn > 0 ? 'true' : [
      'echo wrong-a > value.txt; git add --all; good=$(git rev-parse HEAD^{tree})',
      // Because of the invalid attribute, git names the file.
      'for word in tree base-tree commit; do dir=$(printf "a\\n%s %s\\nb" "$word" "$good"); mkdir -p "$dir"; echo "* =x" > "$dir/.gitattributes"; echo x > "$dir/file"; done',
    ].join('\n'),
    loop: { gates: [Gate.command('test', './test.sh')], maxRepairs: 0 },
  });
  const { error, record } = await loop.run();
  expect({ error, gates: record.gates }).toEqual({ error: 'CodingLoop.Red', gates: [expect.objectContaining({ verdict: 'FAILED' })] });
  expect(loop.branches()).toEqual(['main']);
});

test('such a directory is committed unchanged, with the rest of the change', async () => {
  const loop = await start({
    agent: 'echo right > value.txt; dir=$(printf "a\\ntree %s\\nb" "$(git rev-parse HEAD^{tree})"); mkdir "$dir"; echo "* =x" > "$dir/.gitattributes"; echo x > "$dir/file"',
  });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.show()).toBe('right\n');
  expect(loop.git('ls-tree', '-r', '-z', '--name-only', 'workbench/task-1')).toMatch(/a\ntree \w{40}\nb\/file/);
});

test.each(['pre-receive', 'post-receive'])('the commit\'s result survives a remote whose %s hook prints more than the output limit', async (hook) => {
  const loop = await start();
  const path = join(loop.remote, 'hooks', hook);
  writeFileSync(path, '#!/bin/bash\nfor ((i = 0; i < 1000; i++)); do echo "rejected $(printf %040d $i)"; done >&2; (sleep 0.2; echo late) & exit 0\n');
  chmodSync(path, 0o755);
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.git('rev-parse', 'workbench/task-1').trim()).toBe(record.commit!.id);
  expect(record.commit).toMatchObject({ pushed: true });
});

test('in an image without sed, a gate that rewrites a tracked file does not pass', async () => {
  const loop = await start({
    loop: (shared) => {
      // All programs except sed.
      execFileSync('bash', ['-c', `mkdir -p ${shared}/bin && for file in /usr/bin/* /bin/*; do name=\${file##*/}; [[ $name == sed || -e ${shared}/bin/$name ]] || ln -s "$file" "${shared}/bin/$name"; done`]);
      return { environment: { PATH: `${shared}/bin` }, gates: [Gate.command('test', 'echo formatted > value.txt')], maxRepairs: 0 };
    },
  });
  const { error, record } = await loop.run();
  expect({ error, changed: record.feedback?.changedFiles }).toEqual({ error: 'CodingLoop.Red', changed: ['value.txt'] });
});

test('fails at the first step, with the program\'s name, if the image lacks a program that the script needs', async () => {
  const loop = await start({
    loop: (shared) => {
      execFileSync('bash', ['-c', `mkdir -p ${shared}/bin && for file in /usr/bin/* /bin/*; do name=\${file##*/}; [[ $name == find || -e ${shared}/bin/$name ]] || ln -s "$file" "${shared}/bin/$name"; done`]);
      return { environment: { PATH: `${shared}/bin` } };
    },
  });
  const { error, record } = await loop.run();
  expect({ error, message: record.error!.message }).toEqual({ error: 'CodingLoop.Inert', message: expect.stringContaining('the image lacks required commands: find') });
  expect(loop.turns).toEqual([]);
});
