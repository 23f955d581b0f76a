import { bounded } from '../text';

/**
 * The maximum number of characters of a title, and of the name and the description of a status.
 * Source: GitLab's message "is too long (maximum is 255 characters)".
 */
export const TITLE_LENGTH = 255;

/**
 * The maximum number of characters of a description or a comment. GitLab allows 1,000,000 bytes ("Size of comments and descriptions" in its
 * documentation), and a character of UTF-16 has at most 3 of them.
 */
const BODY_LENGTH = 330_000;

/**
 * Returns text as the body of a merge request or a comment.
 *
 * GitLab carries out lines such as `/merge` or `/assign @me` as commands of the token's user ("Quick actions" in its documentation), also from
 * text of others that is quoted here. It leaves out code blocks, but finds their ends by a pattern that text in the block can match. A character
 * without a width before the slash makes it text everywhere.
 */
export function bodyText(text: string, reserved = 0): string {
  return bounded(text.trimEnd().replace(/\r/g, '').replace(/^([^\S\n]*)\/(?=[a-z])/gim, '$1\u200b/'), BODY_LENGTH - reserved);
}

const DRAFT = /^(?:\s*(?:draft:|\[draft\]|\(draft\)))+\s*/i;

/** Returns a title. GitLab keeps in it whether a merge request is a draft. */
export function titleText(title: string, isDraft: boolean): string {
  const plain = title.replace(DRAFT, '') || 'Change';
  return isDraft ? `Draft: ${bounded(plain, TITLE_LENGTH - 'Draft: '.length, '…')}` : bounded(plain, TITLE_LENGTH, '…');
}
