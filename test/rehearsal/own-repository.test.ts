import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RehearsalRecord } from '../../rehearsal/run/record';
import { commandLine } from '../support/command-line';

jest.setTimeout(180_000);

const ROOT = resolve(__dirname, '../..');
const SOURCE = 'src/mount/constants.ts';
/** Guesses once; after the test's failure, it corrects the limit. */
const AGENT = `if grep -q "MOUNT_PATH\\|FAIL test/mount" -; then sed -i 's/= 198;/= 200;/' ${SOURCE}; else sed -i 's/= 199;/= 198;/' ${SOURCE}; fi`;

test('repairs a mutation of this project in two turns, with the unit test that covers it as the gate', async () => {
  const home = mkdtempSync(join(tmpdir(), 'own-repository-'));
  const clone = join(home, 'project');
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], { cwd: clone, stdio: 'pipe' });
  try {
    execFileSync('git', ['-c', 'safe.directory=*', 'clone', '--quiet', '--no-hardlinks', ROOT, clone], { stdio: 'pipe' });
    const source = readFileSync(join(clone, SOURCE), 'utf8');
    writeFileSync(join(clone, SOURCE), source.replace('MAX_MOUNT_PATH_LENGTH = 200;', 'MAX_MOUNT_PATH_LENGTH = 199;'));
    git('commit', '--quiet', '--all', '--message', 'a mutation');

    const { exitCode, stdout } = await commandLine(
      'rehearse', '--repository', clone, '--agent', AGENT, '--bootstrap', `ln -s ${ROOT}/node_modules node_modules`,
      // The user of a verification must not write to the cache of this project.
      '--gate', 'unit=node_modules/.bin/jest --ci --coverage=false --cacheDirectory=/tmp/jest test/mount/mount-path.test.ts',
      '--prompt', 'A mount path may have 200 characters', '--state', join(home, 'state'), '--json');

    const record = JSON.parse(stdout) as RehearsalRecord;
    expect([exitCode, record.outcome, record.output?.rounds]).toEqual([0, 'COMMITTED', 2]);
    expect(record.commit?.patch).toContain('-export const MAX_MOUNT_PATH_LENGTH = 199;\n+export const MAX_MOUNT_PATH_LENGTH = 200;');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
