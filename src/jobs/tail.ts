import { StringDecoder } from 'string_decoder';
import { stripVTControlCharacters } from 'util';
import { maskSecrets } from '../handler/mask';

/** The size of the context that is kept before the tail, in bytes, to recognize a secret of which the tail has only the end. */
const CONTEXT = 4_096;

/** Keeps the last bytes of an output, and a bounded number before them. */
export class Tail {
  private pieces: Buffer[] = [];
  private size = 0;
  private cut = false;

  constructor(private readonly limit: number) {}

  public push(data: Buffer): void {
    if (this.limit === 0) return;
    const most = this.limit + CONTEXT;
    const piece = data.length > most ? data.subarray(data.length - most) : data;
    this.pieces.push(Buffer.from(piece)); // a view would keep the whole chunk alive
    this.size += piece.length;
    this.cut ||= piece.length < data.length || this.size > this.limit;
    if (this.size > 2 * most || this.pieces.length > 1_000) {
      const kept = Buffer.concat(this.pieces).subarray(-most);
      this.pieces = [Buffer.from(kept)];
      this.size = kept.length;
    }
  }

  /** Returns the tail as text for a reader: whole characters, no terminal sequences, whole lines if any, and nothing that looks like a secret. */
  public text(): string {
    return this.ofLast((before, last, isWholeLines) => {
      const shown = cleaned(last);
      // Masking keeps the number of lines, so the last lines of the whole are the last lines of this part.
      const masked = maskSecrets(cleaned(before + last)).split('\n').slice(-shown.split('\n').length).join('\n');
      return isWholeLines ? masked : masked.slice(-shown.length);
    });
  }

  /** The same with secrets in it: for what is read, and neither shown nor kept. */
  public unmasked(): string {
    return this.ofLast((_, last) => cleaned(last));
  }

  private ofLast(make: (before: string, last: string, isWholeLines: boolean) => string): string {
    const all = Buffer.concat(this.pieces).subarray(-this.limit - CONTEXT);
    if (this.limit === 0) return '';
    let start = Math.max(0, all.length - this.limit);
    while (this.cut && start < all.length && (all[start] & 0xc0) === 0x80) start++; // not in the middle of a character
    const before = all.subarray(0, start).toString('utf8');
    const last = all.subarray(start).toString('utf8');
    const newline = this.cut ? last.indexOf('\n') : -1;
    return newline >= 0 && last.slice(newline).trim() !== ''
      ? make(before + last.slice(0, newline + 1), last.slice(newline + 1), true)
      : make(before, last, start === 0);
  }
}

function cleaned(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  return stripVTControlCharacters(text).replace(/\r\n?/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
}

/** The maximum length of a line, in characters. Longer lines are matched in pieces. */
const LONGEST_LINE = 16_384;

/** Finds the first line that matches one of the patterns, however the output is cut into pieces. */
export class LineMatcher {
  private readonly decoder = new StringDecoder('utf8');
  private readonly patterns: { readonly source: string; readonly pattern: RegExp }[];
  private line = '';

  constructor(patterns: readonly string[]) {
    this.patterns = patterns.map((source) => ({ source, pattern: new RegExp(source) }));
  }

  /** The source of the pattern that matched, if one did. */
  public push(data: Buffer): string | undefined {
    if (this.patterns.length === 0) return undefined;
    const lines = (this.line + this.decoder.write(data)).split('\n');
    this.line = lines.pop()!;
    if (this.line.length > LONGEST_LINE) {
      lines.push(this.line);
      this.line = this.line.slice(-LONGEST_LINE / 2);
    }
    for (const line of lines) {
      const found = this.match(line);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The same for a last line without an end. */
  public end(): string | undefined {
    return this.match(this.line);
  }

  private match(line: string): string | undefined {
    return this.patterns.find(({ pattern }) => pattern.test(line))?.source;
  }
}
