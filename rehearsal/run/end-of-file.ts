import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last bytes of a file that something may be writing; nothing if it is not there. */
export function endOfFile(file: string, bytes: number): string {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const buffer = Buffer.alloc(bytes);
    const read = readSync(handle, buffer, 0, bytes, Math.max(0, fstatSync(handle).size - bytes));
    return buffer.toString('utf8', 0, read);
  } catch {
    return '';
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
