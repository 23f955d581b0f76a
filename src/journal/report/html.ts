import { stripVTControlCharacters } from 'node:util';

const ENTITIES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** Control characters that a page has no use for. */
// eslint-disable-next-line no-control-regex -- HTML does not allow control characters, so they are removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Characters that change the direction of the text after them, so that it reads as something else. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Returns text as HTML. Text of a run may hold anything, such as markup of its own.
 *
 * Escape sequences of colours and control characters are left out, and characters that change the direction of text are named.
 */
export function escape(text: string): string {
  return stripVTControlCharacters(text)
    .replace(CONTROLS, '')
    .replace(DIRECTIONS, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`)
    .replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table>${head.length === 0 ? '' : `<thead>${row(head, 'th')}</thead>`}<tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>`;
}
