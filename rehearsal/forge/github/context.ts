import type { ForgeApp, ForgeStore } from '../store';
import type { ForgeToken } from '../tokens';
import type { Body } from './shapes';
import type { GitHubState } from './state';

/** A request that was admitted: its credential is known, and its body has the shape that the operation takes. */
export interface RequestContext {
  readonly store: ForgeStore;
  readonly state: GitHubState;
  /** The scheme, the host and the port of the forge. */
  readonly origin: string;
  /** The values of the path's parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Body;
  /** The app, if the credential is its JSON web token. */
  readonly app?: ForgeApp;
  readonly token?: ForgeToken;
}

/** Returns the items of the page that a request asks for, with a header `link` if there are more. @param url the URL without a query */
export function pageOf<T>(
  items: readonly T[], { query }: RequestContext, url: string,
): { readonly items: readonly T[]; readonly headers: Readonly<Record<string, string>> } {
  const number = (name: string, otherwise: number) => /^[1-9]\d{0,5}$/.test(query.get(name) ?? '') ? Number(query.get(name)) : otherwise;
  const size = Math.min(100, number('per_page', 30));
  const page = number('page', 1);
  const last = Math.ceil(items.length / size);
  const link = (to: number, rel: string) => {
    const next = new URLSearchParams(query);
    next.set('page', `${to}`);
    return `<${url}?${next.toString()}>; rel="${rel}"`;
  };
  const links = page < last ? [link(page + 1, 'next'), link(last, 'last')] : [];
  return { items: items.slice((page - 1) * size, page * size), headers: links.length === 0 ? {} : { link: links.join(', ') } };
}
