import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { commitOf, idOf, PackError, withCommit } from '../../src/forge/publish/git-object';
import { CommitContent } from '../../src/loop/steps/publication';

// The commit and the pack of the publisher, which has no git, compared with those of git.
const directories: string[] = [];
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

/** Returns git in a new repository. */
function repository(...options: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'objects-'));
  directories.push(directory);
  const git = (args: string[], input: string | Buffer = '', environment: { readonly [name: string]: string } = {}) =>
    execFileSync('git', args, { cwd: directory, input, env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  git(['init', '--quiet', '--bare', ...options]);
  return git;
}

type Git = ReturnType<typeof repository>;

function commitTree(git: Git, { tree, parents, author, seconds, message }: CommitContent): string {
  const [date, { name, email }] = [`@${seconds} +0000`, author];
  return git(['commit-tree', tree, ...parents.flatMap((id) => ['-p', id])], message, {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  }).toString().trim();
}

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collected(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const RUNS = Number(process.env.WORKBENCH_COMMITS ?? 60);
const text = (maxLength: number) => fc.string({ unit: fc.oneof(fc.constantFrom('a', 'é', '𝒳', ' ', '.', ',', '<', '>', '"', '\'', '\\', '\t', '\r', '\ufeff', '\ufffe', '\ufdd0', '\u{1fffe}'), fc.string({ minLength: 1, maxLength: 1 })), maxLength });

describe.each(['sha1', 'sha256'] as const)('in a repository of %s', (format) => {
  const git = repository(`--object-format=${format}`);
  const tree = git(['mktree'], '').toString().trim();
  const parents = [0, 1, 2].map((seconds) => commitTree(git, { tree, parents: [], author: { name: 'a', email: 'b' }, seconds, message: 'parent' }));

  test('a commit has the ID that git gives it', () => {
    fc.assert(fc.property(
      text(12), text(12), text(40), fc.nat(4_000_000_000), fc.array(fc.constantFrom(...parents), { maxLength: 4 }),
      (name, email, message, seconds, of) => {
        const content = { tree, parents: of, author: { name: `x${name.replaceAll('\0', '')}`, email: email.replaceAll('\0', '') }, seconds, message: message.replaceAll('\0', '') };
        expect(idOf('commit', commitOf(content), format)).toBe(commitTree(git, content));
      },
    ), { numRuns: RUNS });
  });

  test('a pack with one more commit is one that git takes, whatever its pieces', async () => {
    const blob = git(['hash-object', '-w', '--stdin'], 'content').toString().trim();
    const changed = git(['mktree'], `100644 blob ${blob}\tfile\n`).toString().trim();
    const pack = git(['pack-objects', '--stdout', '-q'], `${blob}\n${changed}\n`);
    for (const [size, length] of [[1, 3], [7, 15], [pack.length, 16], [13, 2_000], [pack.length - 1, 300_000]]) {
      const other = repository(`--object-format=${format}`);
      const commit = commitOf({ tree: changed, parents: [], author: { name: 'a', email: 'b' }, seconds: 1, message: 'm'.repeat(length) });
      other(['index-pack', '--strict', '--stdin'], await collected(withCommit(piecesOf(pack, size), commit, format)));
      const id = idOf('commit', commit, format);
      other(['update-ref', 'refs/heads/main', id]);
      other(['fsck', '--strict']);
      expect(other(['show', `${id}:file`]).toString()).toBe('content');
    }
  });

  test('without a pack, the commit is the only object', async () => {
    const commit = commitOf({ tree, parents: [], author: { name: 'a', email: 'b' }, seconds: 1, message: 'only\n' });
    git(['index-pack', '--strict', '--stdin'], await collected(withCommit(piecesOf(Buffer.alloc(0), 1), commit, format)));
    expect(git(['cat-file', '-p', idOf('commit', commit, format)]).toString()).toContain('only');
  });

  test('a pack that is damaged or cut off is refused', async () => {
    const pack = git(['pack-objects', '--stdout', '-q', '--revs'], `${parents[0]}\n`);
    const bent = Buffer.from(pack);
    bent[pack.length - 30] ^= 1;
    for (const bytes of [pack.subarray(0, 11), pack.subarray(0, -1), bent, Buffer.from('no pack at all')]) {
      await expect(collected(withCommit(piecesOf(bytes, 8), Buffer.from('x'), format))).rejects.toThrow(PackError);
    }
  });
});

test.each<[string, Partial<CommitContent>, RegExp]>([
  ['a tree that is no object ID', { tree: 'HEAD' }, /not an object ID: "HEAD"/],
  ['a parent that is no object ID', { parents: ['a'.repeat(41)] }, /not an object ID/],
  ['a name of punctuation', { author: { name: ' ,.<>', email: 'b' } }, /a name must have other characters/],
  ['a NUL in the message', { message: 'a\0b' }, /NUL/],
  ['a date before the epoch', { seconds: -1 }, /not a date/],
])('a commit with %s is refused', (_, content, message) => {
  expect(() => commitOf({ tree: 'a'.repeat(40), parents: [], author: { name: 'a', email: 'b' }, seconds: 1, message: 'm', ...content })).toThrow(message);
});
