import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalRepository } from '../../rehearsal/run/local-repository';
import { CommandLine, WorkingCopy } from '../support/command-line';

jest.setTimeout(60_000);

let copy: WorkingCopy;
let parent: string;
beforeEach(() => {
  copy = new WorkingCopy({ 'answer': '41\n', 'part/file': '' });
  parent = mkdtempSync(join(tmpdir(), 'local-repository-'));
});
afterEach(() => {
  copy.remove();
  rmSync(parent, { recursive: true, force: true });
});

function commit(text: string): string {
  writeFileSync(join(copy.directory, 'answer'), text);
  copy.git('-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit', '--quiet', '--all', '--message', text);
  return copy.git('rev-parse', 'HEAD').trim();
}

test('works on the commit of a checkout without a branch, as CI makes it', async () => {
  copy.git('checkout', '--quiet', '--detach');
  const first = commit('42');
  const repository = await LocalRepository.copy(copy.directory, parent);
  expect((await repository.head()).commit).toBe(first);

  const second = commit('43');
  await LocalRepository.copy(copy.directory, parent);
  expect(await repository.head()).toEqual({ branch: 'detached-head', commit: second });

  copy.git('checkout', '--quiet', 'main');
  await LocalRepository.copy(copy.directory, parent);
  expect(await repository.head()).toEqual({ branch: 'main', commit: copy.git('rev-parse', 'main').trim() });
});

test('copies a repository while git packs its objects', async () => {
  const bin = join(parent, 'bin');
  const git = execFileSync('bash', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), `#!/bin/bash
if [[ " $* " == *" clone "* ]] && mkdir '${parent}/packed' 2>/dev/null; then
  mkdir -p "\${@: -1}/objects" && echo 'fatal: failed to copy file' >&2 && exit 128
fi
exec ${git} "$@"
`, { mode: 0o755 });
  const { ended } = new CommandLine(['rehearse', '--repository', copy.directory, '--agent', 'echo 42 > answer', '--gate', 'test=true', '--prompt', 'Correct it', '--state', copy.state], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });

  expect([await ended, existsSync(join(parent, 'packed'))]).toEqual([expect.objectContaining({ exitCode: 0, stderr: '' }), true]);
});

test('fails if the checked-out branch has no commit, both at first and later', async () => {
  await LocalRepository.copy(copy.directory, parent);
  copy.git('checkout', '--quiet', '--orphan', 'new');

  await expect(LocalRepository.copy(copy.directory, parent)).rejects.toThrow(/is on a branch without commits: commit/);
  rmSync(parent, { recursive: true });
  await expect(LocalRepository.copy(copy.directory, parent)).rejects.toThrow(/has no commits yet: commit/);
});

test('fails for a directory inside a repository, and names the repository', async () => {
  await expect(LocalRepository.copy(join(copy.directory, 'part'), parent)).rejects.toThrow(`it is a subdirectory of a repository: name ${copy.directory}`);
});

test('fails for a directory that is not a repository', async () => {
  const directory = join(parent, 'plain');
  mkdirSync(directory);

  await expect(LocalRepository.copy(directory, parent)).rejects.toThrow('it is not a git repository: run "git init" there, and commit');
  await expect(LocalRepository.copy(join(directory, 'nowhere'), parent)).rejects.toThrow('there is no such directory');
});

test.each(['a link', 'a bare repository'])('%s to a repository is accepted as one', async (kind) => {
  const source = join(parent, 'source');
  if (kind === 'a link') symlinkSync(copy.directory, source);
  else copy.git('clone', '--quiet', '--bare', '.', source);

  expect((await (await LocalRepository.copy(source, parent)).head()).branch).toBe('main');
  expect((await (await LocalRepository.copy(source, parent)).head()).branch).toBe('main');
});

test('fails for a URL with a password, without showing it', async () => {
  const copying = LocalRepository.copy('https://me:s3cret@git.example.com/app.git', parent);

  await expect(copying).rejects.toThrow('"repository" must be an https, http, ssh, git, file or codecommit URL, without a password, "?", "#" or "\\", and without a user unless the scheme is ssh or codecommit, not "https://…@git.example.com/app.git": credentials');
  await expect(copying).rejects.not.toThrow('s3cret');
  expect(readdirSync(parent)).toEqual([]);
});

test.each([['a directory', ''], ['a URL', 'file://']])('the copy of %s does not reveal where the original is', async (_, scheme) => {
  const { directory } = await LocalRepository.copy(`${scheme}${copy.directory}`, parent);

  expect(readFileSync(join(directory, 'config'), 'utf8')).not.toMatch(/remote|project/);
});
