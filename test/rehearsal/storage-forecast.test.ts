import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalRepository } from '../../rehearsal/run/local-repository';
import { storageForecast } from '../../rehearsal/run/storage-forecast';
import { CommandLine } from '../support/command-line';

jest.setTimeout(240_000);

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'forecast-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A repository in which this many files have the same content, without writing any of them. */
function repository(files: number, content: Buffer): string {
  const directory = join(home, 'large');
  const git = (args: string[], input?: Buffer | string) => execFileSync('git', ['-C', directory, '-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], { input, encoding: 'utf8' }).trim();
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'main', directory]);
  const blob = git(['hash-object', '-w', '--stdin'], content);
  git(['update-index', '--index-info'], Array.from({ length: files }, (_, index) => `100644 ${blob}\tdirectory-${Math.floor(index / 1_000)}/file-${index}\n`).join(''));
  const commit = git(['commit-tree', git(['write-tree']), '-m', 'large']);
  git(['update-ref', 'refs/heads/main', commit]);
  return directory;
}

const forecast = async (source: string) => storageForecast(await LocalRepository.copy(source, join(home, 'copies')));
/** Content that cannot be compressed. */
const noise = (bytes: number) => execFileSync('openssl', ['enc', '-aes-128-ctr', '-nosalt', '-K', '0'.repeat(32), '-iv', '0'.repeat(32)], { input: Buffer.alloc(bytes), maxBuffer: 2 * bytes });

test('a repository whose files session storage cannot hold is reported before the run, and in its record', async () => {
  const source = repository(100_001, Buffer.from('x\n'));
  const run = new CommandLine(['rehearse', '--repository', source, '--agent', 'true', '--gate', 'test=true', '--prompt', 'Do nothing', '--state', join(home, 'state')]);

  await run.prints(/^warning: the repository has 100001 files, and session storage holds about 100000: mount a file system instead$/m);
  expect(run.stdout).not.toContain('Prepare the run');
  run.kill('SIGINT');
  const { stdout } = await run.ended;
  expect(stdout).toMatch(/^INTERRUPTED before the first turn/m);
});

test.each([
  ['files and history that do not fit', 16, 64, ['the repository has 1.0 GB of files and up to 0.1 GB of history, and session storage holds 1 GB: mount a file system instead, or leave files out of the repository']],
  ['files and history that fit', 15, 60, []],
  ['a small repository', 10, 0.001, []],
])('%s', async (_, files, megabytes, expected) => {
  expect(await forecast(repository(files, noise(megabytes * 1024 ** 2)))).toEqual(expected);
});
