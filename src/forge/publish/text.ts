/** Returns the beginning of a text, with a note if there was more. Characters are counted as UTF-16 does, which is never less than forges count. */
export function bounded(text: string, length: number, note = '\n\n… (cut, because the forge takes no more)'): string {
  if (text.length <= length) return text;
  return text.slice(0, length - note.length).replace(/[\uD800-\uDBFF]$/, '') + note;
}

/** Returns a line of Markdown that nobody sees, and that tells comments apart. Nothing in the marker can end it. */
export function hiddenMarker(marker: string): string {
  return `<!-- workbench ${encodeURIComponent(marker).replace(/[-!'()*~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)} -->`;
}
