/** The maximum number of characters of a body. Source: GitHub's message "body is too long (maximum is 65536 characters)". */
export const BODY_LENGTH = 65_536;

/** The maximum number of characters of a title. Source: GitHub's message "title is too long (maximum is 256 characters)". */
export const TITLE_LENGTH = 256;
