import { createHash } from 'crypto';
import { deflateSync } from 'zlib';
import { CommitContent } from '../../loop/steps/publication';

/** The hash functions of git repositories. */
export type ObjectFormat = 'sha1' | 'sha256';

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Characters that git removes from the ends of a name, as git 2.25 to 2.50 do (ident.c). */
const CRUD = '[\\0-\\x20.,:;<>"\\\\\']';

/** Characters that git takes for invalid UTF-8, and whose bytes it reads as Latin-1 (utf8.c and commit.c). */
const NONCHARACTERS = /\p{Noncharacter_Code_Point}/gu;

/** Returns a commit as git stores it: the same bytes as `git commit-tree` for the same content. Throws if git would refuse it. */
export function commitOf({ tree, parents, author, seconds, message }: CommitContent): Buffer {
  for (const id of [tree, ...parents]) {
    if (!OBJECT_ID.test(id)) throw new RangeError(`not an object ID: ${JSON.stringify(id)}`);
  }
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError(`not a date in seconds since the epoch: ${seconds}`);
  if (message.includes('\0')) throw new RangeError('a message must not contain a NUL character');
  const person = `${withoutCrud(author.name)} <${withoutCrud(author.email)}> ${seconds} +0000`;
  if (person.startsWith(' ')) throw new RangeError(`a name must have other characters than punctuation: ${JSON.stringify(author.name)}`);
  // git leaves out parents that are named twice.
  const lines = [`tree ${tree}`, ...[...new Set(parents)].map((id) => `parent ${id}`), `author ${person}`, `committer ${person}`];
  return Buffer.from(`${lines.join('\n')}\n\n${message}`.replace(NONCHARACTERS, (character) => Buffer.from(character).toString('latin1')));
}

function withoutCrud(text: string): string {
  return text.replace(new RegExp(`^${CRUD}+|${CRUD}+$`, 'g'), '').replace(/[\n<>]/g, '');
}

/** Returns the ID by which git names an object. */
export function idOf(type: 'commit' | 'tree' | 'blob', content: Buffer, format: ObjectFormat = 'sha1'): string {
  return createHash(format).update(`${type} ${content.length}\0`).update(content).digest('hex');
}

/** The numbers of types of objects in a pack. */
const TYPES = { commit: 1, tree: 2, blob: 3 } as const;

/** The number of bytes before the objects of a pack: `PACK`, the version and the number of objects. */
const HEADER_BYTES = 12;

/** A pack cannot be used. */
export class PackError extends Error {
  readonly name = 'PackError';
}

/**
 * Adds a commit to a pack, as the pack passes by.
 *
 * @param pack a pack in pieces of any size; no pieces for an empty pack
 */
export async function* withCommit(pack: AsyncIterable<Buffer>, commit: Buffer, format: ObjectFormat = 'sha1'): AsyncGenerator<Buffer> {
  const trailer = format === 'sha1' ? 20 : 32;
  const [before, after] = [createHash(format), createHash(format)];
  // The pack's own header and trailer are replaced. Until more has come, its last bytes may be the trailer.
  let kept: Buffer = Buffer.alloc(0);
  let count: number | undefined;
  for await (let piece of pack) {
    // Only a short piece is copied: a pack may be large.
    if (count === undefined || piece.length <= trailer) {
      piece = Buffer.concat([kept, piece]);
      kept = Buffer.alloc(0);
    }
    if (count === undefined) {
      if (piece.length < HEADER_BYTES) {
        kept = piece;
        continue;
      }
      count = countOf(piece);
      before.update(piece.subarray(0, HEADER_BYTES));
      yield hashed(after, headerOf(count + 1));
      piece = piece.subarray(HEADER_BYTES);
    }
    const end = Math.max(0, piece.length - trailer);
    for (const ready of [kept, piece.subarray(0, end)]) {
      before.update(ready);
      if (ready.length > 0) yield hashed(after, ready);
    }
    kept = Buffer.concat([piece.subarray(end)]);
  }
  if (count === undefined) {
    if (kept.length > 0) throw new PackError('the pack is cut off in its header');
    yield hashed(after, headerOf(1));
  } else if (!before.digest().equals(kept)) {
    throw new PackError('the pack is damaged: its checksum is another one');
  }
  yield hashed(after, entryOf('commit', commit));
  yield after.digest();
}

/** Returns a pack without objects, for commits that the remote has. */
export async function* emptyPack(format: ObjectFormat): AsyncGenerator<Buffer> {
  const header = headerOf(0);
  yield header;
  yield createHash(format).update(header).digest();
}

function hashed(hash: ReturnType<typeof createHash>, bytes: Buffer): Buffer {
  hash.update(bytes);
  return bytes;
}

function countOf(header: Buffer): number {
  if (header.subarray(0, 4).toString('latin1') !== 'PACK' || header.readUInt32BE(4) !== 2) throw new PackError('not a pack of version 2');
  return header.readUInt32BE(8);
}

function headerOf(count: number): Buffer {
  const header = Buffer.from('PACK\0\0\0\0\0\0\0\0', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(count, 8);
  return header;
}

/** Returns an object as a pack has it: its type and its size, in groups of 7 bits of which the first has 4, and its compressed content. */
function entryOf(type: keyof typeof TYPES, content: Buffer): Buffer {
  const head: number[] = [];
  let rest = Math.floor(content.length / 16);
  let byte = TYPES[type] * 16 + content.length % 16;
  while (rest > 0) {
    head.push(byte + 128);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  return Buffer.concat([Buffer.from([...head, byte]), deflateSync(content)]);
}
