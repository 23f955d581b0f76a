import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The key cannot be the path of a file here. */
export class KeyNotStorableError extends Error {
  readonly name = 'KeyNotStorableError';
}

export interface StoredFile {
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** The objects of buckets as files: `<bucket>/<key>`. */
export class StoredFiles {
  constructor(private readonly directory: string) {}

  read(bucket: string, key: string): { readonly body: Buffer; readonly modifiedAt: Date } | undefined {
    const file = this.pathOf(bucket, key);
    if (!existsSync(file) || !statSync(file).isFile()) return undefined;
    return { body: readFileSync(file), modifiedAt: statSync(file).mtime };
  }

  /** Replaces the object at once, as S3 does. */
  write(bucket: string, key: string, body: Buffer): void {
    const file = this.pathOf(bucket, key);
    const temporary = join(this.directory, `.${randomUUID()}`);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(temporary, body);
      renameSync(temporary, file);
    } catch (error) {
      throw new KeyNotStorableError(`a rehearsal keeps objects as files, and "${key}" cannot be one: ${(error as Error).message}`);
    }
  }

  /** Returns the objects of a bucket, in the order of the bytes of their keys. */
  list(bucket: string): StoredFile[] {
    const root = join(this.directory, bucket);
    if (!existsSync(root)) return [];
    const files = (readdirSync(root, { recursive: true, encoding: 'utf8' })).filter((name) => statSync(join(root, name)).isFile());
    return files.map((name) => {
      const { size, mtime } = statSync(join(root, name));
      return { key: name.split('/').map(decoded).join('/'), size, modifiedAt: mtime };
    }).sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  private pathOf(bucket: string, key: string): string {
    return join(this.directory, bucket, ...key.split('/').map(encoded));
  }
}

/** Encodes a part of a key that would mean something else in a path. */
function encoded(part: string): string {
  const plain = part.replace(/[%\0]/g, (character) => character === '%' ? '%25' : '%00');
  return /^\.{0,2}$/.test(plain) ? plain.replace(/\./g, '%2E') || '%' : plain;
}

function decoded(name: string): string {
  return name === '%' ? '' : name.replace(/%(25|00|2E)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
