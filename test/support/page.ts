import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './installed-package';

/** A code block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The line of the block's start, from 1. */
  readonly line: number;
  /** The reason why the block is not run: the text after `not-run:` next to its language. */
  readonly notRun?: string;
}

/** Returns all code blocks of a page in order. */
export function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let line = 0; line < lines.length; line++) {
    const fence = /^(`{3,})(\S*)[ \t]*(.*)$/.exec(lines[line]);
    if (!fence) continue;
    const [, ticks, language, info] = fence;
    const end = lines.indexOf(ticks, line + 1);
    if (end < 0) throw new Error(`${page}:${line + 1}: the block has no end`);
    const notRun = /^not-run: *(.+)$/.exec(info)?.[1];
    if (info !== '' && notRun === undefined) throw new Error(`${page}:${line + 1}: "${info}" is not "not-run: <reason>"`);
    blocks.push({ language, text: lines.slice(line + 1, end).join('\n'), line: line + 1, notRun });
    line = end;
  }
  return blocks;
}

/** A reader who follows pages to the letter: one shell, one home and one folder for all blocks. */
export class Reader {
  private directory: string;

  constructor(private readonly home: string, directory: string, private readonly environment: NodeJS.ProcessEnv) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** The directory in which the last block left the reader. */
  get where(): string {
    return this.directory;
  }

  /** Changes the directory, as a page says in words. */
  go(directory: string): void {
    this.directory = directory;
  }

  /** Runs a block of shell code and returns its output; fails with the output. */
  run(page: string, { text, line }: Block): string {
    const where = join(this.home, '.where');
    const script = join(this.home, '.block.sh');
    writeFileSync(script, `set -euo pipefail\ntrap 'pwd >${where}' EXIT\n${text}\n`);
    try {
      return execFileSync('bash', [script], { cwd: this.directory, env: this.environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
    } catch (error) {
      const { stdout, stderr, status } = error as { stdout: string; stderr: string; status: number };
      throw new Error(`${page}:${line} ends with ${status}\n${text}\n\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`);
    } finally {
      this.directory = readFileSync(where, 'utf8').trim();
    }
  }
}
