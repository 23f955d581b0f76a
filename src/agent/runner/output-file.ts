import { mkdtempSync, rmSync } from 'node:fs';
import { FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { RUNNER_LIMITS } from './limits';

/** The bytes that are read at once. */
const PIECE = 256 * 1024;

/**
 * The standard output of a program, as a file without a name.
 *
 * A pipe is not enough: some programs exit before what they wrote is read, and lose all that does not fit into it, which is most of a long answer.
 */
export class OutputFile {
  public static async create(temporary: string): Promise<OutputFile> {
    const directory = mkdtempSync(join(temporary, 'workbench-output-'));
    try {
      const file = join(directory, 'stdout');
      return new OutputFile(await open(file, 'a', 0o600), await open(file, 'r'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  private constructor(private readonly writer: FileHandle, private readonly reader: FileHandle) {}

  /** The number of the open file, for the program. */
  public get descriptor(): number {
    return this.writer.fd;
  }

  /** Reads until all is read that was written before `ended` was settled. What a process that cannot be found writes later has no end. */
  public async follow(ended: Promise<unknown>, write: (chunk: Buffer) => void): Promise<void> {
    let isOver = false;
    const over = ended.catch(() => {}).then(() => {
      isOver = true;
    });
    let end: number | undefined;
    for (let position = 0; end === undefined || position < end;) {
      if (isOver) end ??= (await this.reader.stat()).size;
      const chunk = Buffer.allocUnsafeSlow(PIECE);
      const { bytesRead } = await this.reader.read(chunk, 0, Math.min(PIECE, (end ?? Infinity) - position), position);
      position += bytesRead;
      if (bytesRead > 0) write(chunk.subarray(0, bytesRead));
      else if (end !== undefined) return;
      else await Promise.race([over, new Promise((resolve) => void setTimeout(resolve, RUNNER_LIMITS.poll))]);
    }
  }

  public async close(): Promise<void> {
    await Promise.all([this.writer.close(), this.reader.close()]);
  }
}
