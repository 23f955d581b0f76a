import { SECRET_RULES } from './secret-rules.generated';

/** Pure: what a text of somebody else's must not carry on into states, causes, logs and reports. */

/** Replaces what is known to be nobody's to see in all texts of a value. */
export type Mask = <T>(value: T) => T;

/** Replaces a secret. No rule matches it. */
export const MASK = '***';

/**
 * A secret by its form, beside those of the kept rule set: shorter or other than they are today, or known by what is said beside them.
 * A group is what is masked; without one, all of it is.
 */
const OWN_RULES: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{36,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{50,}/g,
  /\bglpat-[A-Za-z0-9_-]{20,}/g,
  /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}/g,
  // An AWS secret access key or session token, recognized by its name.
  /\b(?:aws_?)?(?:secret_?access_?key|session_?token)["']?\s{0,5}[:=]\s{0,5}["']?([A-Za-z0-9/+=]{40,})/gi,
  // The password in a URL, or a user without a password: hosts accept a token there.
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'<>]{0,200}:([^\s/@"'<>]{1,500})@/gi,
  /\bhttps?:\/\/([A-Za-z0-9_.~-]{20,500})@/gi,
  /\b(?:proxy-)?authorization["']?\s{0,5}[:=]\s{0,5}["']?(?:basic|bearer|token)\s{1,5}([\w=~.+/-]{8,})/gi,
];

const RULES = [
  ...SECRET_RULES.map(([keywords, source, flags]) => ({ keywords: keywords.split(' '), pattern: new RegExp(source, flags) })),
  ...OWN_RULES.map((pattern) => ({ keywords: [''], pattern })),
];

/** Determines whether a part of the text looks like a secret. */
export function hasSecret(text: string): boolean {
  return maskSecrets(text) !== text;
}

/**
 * The same text, line by line, without what looks like a secret. Masked once more, it stays as it is.
 *
 * It knows tokens by their form. A password that looks like any other word is not seen.
 */
export function maskSecrets(text: string): string {
  let masked = maskedKeys(text);
  const lower = masked.toLowerCase();
  for (const { keywords, pattern } of RULES) {
    if (keywords.some((keyword) => lower.includes(keyword))) masked = masked.replace(pattern, hidden);
  }
  return masked;
}

function hidden(whole: string, ...groups: unknown[]): string {
  const [secret] = groups;
  return typeof secret === 'string' && secret !== '' ? whole.replaceAll(secret, () => MASK) : MASK;
}

const MARK = /-----(BEGIN|END)[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----/g;
/** A piece of a key, however it is quoted or prefixed by a log. */
const PIECE = /(\\[nrt])?[A-Za-z0-9+/=]{16,}/g;
/** The last line of a key may be short. */
const SHORT_PIECE = /(?<![A-Za-z0-9+/=\\])(\\[nrt])?[A-Za-z0-9+/]{1,15}={0,2}(?=(?:["'\s]|\\[nrt])*$)/;

/**
 * A key between its marks, on one line or on many; or beside one of them, where the text was cut in the midst of it. Lines stay lines.
 */
function maskedKeys(text: string): string {
  const marks = [...text.matchAll(MARK)].map(({ index, 0: mark, 1: kind }) => ({ kind, from: index, to: index + mark.length }));
  let masked = '';
  let at = 0;
  marks.forEach(({ kind, from, to }, index) => {
    const before = text.slice(at, from);
    const isAfterBegin = marks[index - 1]?.kind === 'BEGIN';
    masked += kind === 'END' ? (isAfterBegin ? withoutPieces(before) : cutBefore(before)) : isAfterBegin ? cutAfter(before) : before;
    masked += text.slice(from, to);
    at = to;
  });
  const rest = text.slice(at);
  return masked + (marks[marks.length - 1]?.kind === 'BEGIN' ? cutAfter(rest) : rest);
}

function withoutPiece(_: string, escape = ''): string {
  return escape + MASK;
}

function withoutPieces(text: string): string {
  return text.split('\n').map((line) => line.replace(PIECE, withoutPiece).replace(SHORT_PIECE, withoutPiece)).join('\n');
}

/** Up to the first line that has nothing of a key. */
function cutAfter(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line, index) => index > 0 && line.trim() !== '' && !/[A-Za-z0-9+/=]{16,}|^[A-Z][\w-]+: /.test(line));
  // The line after the last full line of a key is its shorter last line.
  const count = end < 0 ? lines.length : end + (/^[\s"'A-Za-z0-9+/=\\]*$/.test(lines[end]) ? 1 : 0);
  return [withoutPieces(lines.slice(0, count).join('\n')), ...lines.slice(count)].join('\n');
}

/** From the last line that has nothing of a key. */
function cutBefore(text: string): string {
  const lines = text.split('\n');
  let begin = lines.length - 1;
  while (begin > 0 && (/[A-Za-z0-9+/=]{16,}/.test(lines[begin - 1]) || (begin === lines.length - 1 && /^[\s"'A-Za-z0-9+/=\\]*$/.test(lines[begin - 1])))) begin--;
  return [...lines.slice(0, begin), withoutPieces(lines.slice(begin).join('\n'))].join('\n');
}
