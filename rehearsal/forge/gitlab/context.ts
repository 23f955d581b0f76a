import type { ForgeStore } from '../store';
import type { ForgeToken } from '../tokens';
import { Answer, refused } from './answers';
import type { Values } from './parameters';
import type { GitLabProject, GitLabState } from './state';

/** A request that was admitted: its token is known, and its parameters have the shape that the operation takes. */
export interface RequestContext {
  readonly store: ForgeStore;
  readonly state: GitLabState;
  /** The scheme, the host and the port of the forge. */
  readonly origin: string;
  /** The values of the path's parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly values: Values;
  readonly token: ForgeToken;
  /** The access level of the token's user in the project. */
  readonly level: number;
  readonly project: GitLabProject;
}

/** The parameters of operations that answer with a list. */
export const PAGES = { page: 'integer', per_page: 'integer' } as const;

/** Returns a page of a list, with GitLab's headers. */
export function pageOf<T>(items: readonly T[], { values }: Pick<RequestContext, 'values'>, objectOf: (item: T) => object): Answer {
  const size = Math.min(100, Number(values.per_page ?? 20));
  const page = Number(values.page ?? 1);
  const pages = Math.max(1, Math.ceil(items.length / size));
  const headers = {
    'x-page': `${page}`,
    'x-per-page': `${size}`,
    'x-total': `${items.length}`,
    'x-total-pages': `${pages}`,
    'x-next-page': page < pages ? `${page + 1}` : '',
    'x-prev-page': page > 1 ? `${page - 1}` : '',
  };
  return { status: 200, headers, body: items.slice((page - 1) * size, page * size).map(objectOf) };
}

/** The maximum number of bytes of a description and a comment. */
const BODY_BYTES = 1_000_000;

/** Refuses texts that are too long, as GitLab's models do. */
export function throwIfTooLong({ title, description, note, name }: Readonly<Record<string, unknown>>): void {
  const errors: Record<string, string[]> = {};
  for (const [field, text] of Object.entries({ title, name })) {
    if ([...String(text ?? '')].length > 255) errors[field] = ['is too long (maximum is 255 characters)'];
  }
  for (const [field, text] of Object.entries({ description, note })) {
    const bytes = Buffer.byteLength(String(text ?? ''));
    if (bytes > BODY_BYTES) errors[field] = [`is too long (${(bytes / 1_048_576).toFixed(2)} MiB). The maximum size is 976.56 KiB.`];
  }
  if (Object.keys(errors).length > 0) throw refused(400, errors);
}
