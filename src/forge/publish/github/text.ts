/** The maximum number of characters of a body. Source: GitHub's message "body is too long (maximum is 65536 characters)". */
export const BODY_LENGTH = 65_536;

/** The maximum number of characters of a title. Source: GitHub's message "title is too long (maximum is 256 characters)". */
export const TITLE_LENGTH = 256;

/** Returns the beginning of a text, with a note if there was more. Characters are counted as UTF-16 does, which is never less than GitHub counts. */
export function bounded(text: string, length: number, note = '\n\n… (cut, because GitHub takes no more)'): string {
  if (text.length <= length) return text;
  return text.slice(0, length - note.length).replace(/[\uD800-\uDBFF]$/, '') + note;
}
