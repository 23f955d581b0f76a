import { stripVTControlCharacters } from 'node:util';

const ENTITIES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** Text of a run may hold anything, such as markup of its own. Escape sequences of colours go. */
export function escape(text: string): string {
  return stripVTControlCharacters(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table>${head.length === 0 ? '' : `<thead>${row(head, 'th')}</thead>`}<tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>`;
}
