/** Quotes a text for a POSIX shell, so that it is one word and nothing in it is expanded. */
export function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** A name that is safe as a file name and in JSON. */
export function slug(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^-+/, '');
}
