import { CallOptions } from './api';
import { Octokit } from './octokit';
import { GitHubApp, isOfApp, Place } from './place';
import { BODY_LENGTH } from './text';
import { Clock } from '../../../handler/clock';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { foundOrMade } from '../found-or-made';
import { ForgeError } from '../smart-http';
import { bounded, hiddenMarker } from '../text';

const request: CallOptions = { permissions: { issues: 'write' } };

/** The number of comments on a page, which is GitHub's maximum. */
const PAGE = 100;

/** The maximum number of pages. GitHub allows 2,500 comments on an issue. */
const PAGES = 26;

interface Comment {
  readonly issue: number;
  /** Text that tells the comments of an issue apart. Nobody sees it. */
  readonly marker: string;
  readonly body: string;
}

/** Writes a comment, or updates the one with the same marker. */
export async function writeComment(
  octokit: Octokit, { owner, repo }: Place, app: GitHubApp | undefined, { issue, marker, body }: Comment, clock: Clock,
): Promise<void> {
  const hidden = hiddenMarker(marker);
  const text = `${hidden}\n${bounded(body, BODY_LENGTH - hidden.length - 1)}`;
  const login = app === undefined ? (await octokit.request('GET /user', { request })).data.login : undefined;

  const find = async () => {
    for (let page = 1; page <= PAGES; page++) {
      const { data, headers } = await octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        owner, repo, issue_number: issue, per_page: PAGE, page, request,
      });
      // Anybody may write the marker, and would then have our words under their name, to change them as they like.
      const found = data.find((comment) => comment.body?.startsWith(hidden)
        && (app === undefined ? comment.user?.login === login : isOfApp(comment.performed_via_github_app, app)));
      if (found !== undefined) return found;
      if (!/\brel="next"/.test(headers.link ?? '')) return undefined;
    }
    throw new ForgeError(FORGE_ERRORS.REFUSED, `issue ${issue} has too many comments to search them`);
  };
  const make = async () => (await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    owner, repo, issue_number: issue, body: text, request,
  })).data;
  const { value: comment, isFound } = await foundOrMade({ find, make }, clock);
  if (isFound && comment.body !== text) {
    await octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { owner, repo, comment_id: Number(comment.id), body: text, request });
  }
}
