import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last lines, within so many bytes, of a file that something may be writing; nothing if it is not there. */
export function endOfFile(file: string, bytes: number): string {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const buffer = Buffer.alloc(bytes);
    const begin = Math.max(0, fstatSync(handle).size - bytes);
    const text = buffer.toString('utf8', 0, readSync(handle, buffer, 0, bytes, begin));
    return begin === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } catch {
    return '';
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
