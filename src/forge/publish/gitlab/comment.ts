import { GitLabApi } from './api';
import { bodyText } from './text';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { foundOrMade } from '../found-or-made';
import { ForgeError } from '../smart-http';
import { hiddenMarker } from '../text';

/** The number of comments on a page, which is GitLab's maximum. */
const PAGE = 100;

/** The maximum number of pages. GitLab allows 5,000 comments on an issue or a merge request. */
const PAGES = 51;

/** The parts of a comment at GitLab that are read. */
interface Note {
  readonly id: number;
  readonly body: string;
  readonly author: { readonly id: number };
}

/**
 * Writes a comment, or updates the one with the same marker.
 *
 * @param number the number of an issue, or of a merge request if there is no such issue: GitLab counts them apart
 */
export async function writeComment(api: GitLabApi, number: number, marker: string, body: string, clock: Clock): Promise<void> {
  const hidden = hiddenMarker(marker);
  const text = `${hidden}\n${bodyText(body, hidden.length + 1)}`;
  const { data: { id: user } } = await api.send<{ readonly id: number }>({ method: 'GET', path: '/user' });
  const path = `${await isThere(`/issues/${number}`) ? '/issues' : '/merge_requests'}/${number}/notes`;

  const find = async (): Promise<Note | undefined> => {
    for (let page = 1; page <= PAGES; page++) {
      const { data, headers } = await api.ofProject<Note[]>('GET', path, { query: { sort: 'asc', order_by: 'created_at', per_page: PAGE, page } });
      // Anybody may write the marker.
      const found = data.find((note) => note.body.startsWith(hidden) && note.author.id === user);
      if (found !== undefined) return found;
      if ((headers.get('x-next-page') ?? '') === '') return undefined;
    }
    throw new ForgeError(FORGE_ERRORS.REFUSED, `${path} has too many comments to search them`);
  };
  const make = async () => (await api.ofProject<Note>('POST', path, { body: { body: text } })).data;
  const { value: note, isFound } = await foundOrMade({ find, make }, clock);
  if (isFound && note.body !== text) await api.ofProject('PUT', `${path}/${note.id}`, { body: { body: text } });

  async function isThere(issue: string): Promise<boolean> {
    return api.ofProject('GET', issue).then(() => true, (error: unknown) => {
      if (error instanceof ForgeError && error.name === FORGE_ERRORS.NOT_FOUND) return false;
      throw error;
    });
  }
}
