import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { publish } from '../../src/forge/publish/publish';
import { Fate, GitHttpServer } from '../support/git-http';

// A publication at a real remote, whose connections break.
let directory: string;
let server: GitHttpServer;
let base: string;
const git = (...args: string[]) => execFileSync('git', ['-C', join(directory, 'remote.git'), '-c', 'user.name=a', '-c', 'user.email=b', ...args], { encoding: 'utf8' }).trim();
const waits: number[] = [];
const clock = { now: () => 0, sleep: async (seconds: number) => void waits.push(seconds) };

beforeEach(async () => {
  waits.length = 0;
  directory = mkdtempSync(join(tmpdir(), 'publish-'));
  execFileSync('git', ['init', '--quiet', '--bare', join(directory, 'remote.git')]);
  git('config', 'http.receivepack', 'true');
  base = git('commit-tree', '-m', 'base', git('hash-object', '-t', 'tree', '-w', '--stdin'));
  git('update-ref', 'refs/heads/main', base);
  server = await GitHttpServer.start(directory);
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Returns a publication of the base's own files on a branch: no objects are missing but the commit. */
function publication(from?: string, message = 'change\n') {
  const commit = { tree: git('rev-parse', `${base}^{tree}`), parents: [from ?? base], author: { name: 'a', email: 'b' }, seconds: 1, message };
  return { remote: { url: `${server.url}/remote.git` }, branch: 'workbench/task', from, commit, pack: async function* () { yield* [] as Buffer[]; } };
}

const at = () => git('for-each-ref', '--format=%(objectname)', 'refs/heads/workbench');

test('is made once, and found again', async () => {
  const first = await publish(publication(), clock);
  expect(first).toEqual({ kind: 'PUBLISHED', id: at() });
  expect(await publish(publication(), clock)).toEqual({ ...first, found: true });
  expect(git('log', '--format=%an %s', 'workbench/task')).toBe('a change\na base');
});

test('does not overwrite what others have pushed, or bring back what they have deleted', async () => {
  const { id } = await publish(publication(), clock);
  expect(await publish(publication(base, 'other\n'), clock)).toMatchObject({ kind: 'MOVED', at: id });
  git('update-ref', '-d', 'refs/heads/workbench/task');
  expect(await publish(publication(id, 'next\n'), clock)).toMatchObject({ kind: 'MOVED' });
  expect(at()).toBe('');
});

test('is refused for good if objects are missing', async () => {
  const { commit, ...rest } = publication();
  expect(await publish({ ...rest, commit: { ...commit, tree: '1'.repeat(40) } }, clock)).toMatchObject({ kind: 'REFUSED', reason: expect.stringMatching(/missing|unpack|index-pack/) });
  expect(at()).toBe('');
});

test('is given up after four tries, and at once if the credential is wrong', async () => {
  server.fate = () => 503;
  await expect(publish(publication(), clock)).rejects.toMatchObject({ name: 'Forge.Unavailable' });
  expect(waits).toEqual([1, 2, 4]);
  server.fate = () => 401;
  await expect(publish(publication(), clock)).rejects.toMatchObject({ name: 'Forge.Unauthorized' });
  expect(waits).toHaveLength(3);
});

test('is one commit on one branch, or none, whatever connections do', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom<Fate>(undefined, 'cut before', 'cut after', 500, 429), { maxLength: 8 }), async (fates) => {
    if (at() !== '') git('update-ref', '-d', 'refs/heads/workbench/task');
    const left = [...fates];
    server.fate = () => left.shift();
    const ended = await publish(publication(), clock).then(({ kind, id }) => ({ kind, id }), ({ name }: Error) => ({ kind: name, id: undefined }));
    server.fate = () => undefined;
    const there = at();
    expect(['PUBLISHED', 'Forge.Unavailable', 'Forge.RateLimited']).toContain(ended.kind);
    // A push that arrived, and whose answers were all lost, is found by the next call.
    expect(await publish(publication(), clock)).toEqual({ kind: 'PUBLISHED', id: at(), ...(there === '' ? {} : { found: true }) });
    expect(ended.id ?? at()).toBe(at());
  }), { numRuns: Number(process.env.WORKBENCH_PUBLICATIONS ?? 15) });
});
