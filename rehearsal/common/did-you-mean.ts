import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** `: did you mean X?` for the word that is nearest to what was written, or nothing. */
export function didYouMean(written: string, known: Iterable<string>, show = (word: string) => word): string {
  const near = nearest(written, known);
  return near === undefined ? '' : `: did you mean ${show(near)}?`;
}

/** The known word that differs by a slip of the finger or two, or that is written in part. */
export function nearest(written: string, known: Iterable<string>): string | undefined {
  const wanted = written.toLowerCase();
  if (wanted === '') return undefined;
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const rated = [...new Set(known)].filter((word) => word !== written).map((word) => ({ word, distance: distanceOf(wanted, word.toLowerCase()) }));
  const [close] = rated.filter(({ distance }) => distance <= most).sort((a, b) => a.distance - b.distance);
  if (close !== undefined) return close.word;
  const begun = rated.filter(({ word }) => wanted.length >= 3 && (word.toLowerCase().startsWith(wanted) || wanted.startsWith(`${word.toLowerCase()}-`)));
  return begun.length === 1 ? begun[0].word : undefined;
}

/** The same for a file or a directory that is not there. */
export function nearFile(path: string): string {
  const parent = dirname(path);
  try {
    return didYouMean(basename(path), readdirSync(parent), (name) => join(parent, name));
  } catch {
    return ''; // the directory is not there either
  }
}

/** The number of letters to add, leave out, change or swap with the next one (Damerau-Levenshtein distance with adjacent swaps). */
function distanceOf(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      rows[row].push(Math.min(
        rows[row - 1][column] + 1,
        rows[row][column - 1] + 1,
        rows[row - 1][column - 1] + change,
        swapped ? rows[row - 2][column - 2] + 1 : Infinity,
      ));
    }
  }
  return rows[a.length][b.length];
}
