/** Returns a page in Markdown without its code blocks, and without what inline code could be taken for. */
export const withoutCode = (text: string) => text.replace(/^(`{3,})[^\n]*\n.*?^\1$/gms, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));

/** Returns the anchors of a page, as GitHub makes them from its headings. */
export const anchorsIn = (text: string) => [...withoutCode(text).matchAll(/^#+ (.+)$/gm)]
  .map(([, heading]) => heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-'));
