import { escape, table } from './html';
import type { ForgeDescription } from '../forge-description';
import { extrasOf, pullRequestInWords } from '../forge-words';

/** The pull request as its page at the forge would show it: the text in Markdown, the checks and the comments. Empty if there is none of these. */
export function forgePage({ repository, pullRequest, checks, comments }: ForgeDescription): string {
  const about = pullRequest === undefined ? [] : [`<h3>${escape(pullRequest.title)} <span class="dim">#${pullRequest.number}</span></h3>
<p>${escape([`${pullRequestInWords(pullRequest)}, from ${pullRequest.head} of ${repository}`, ...extrasOf(pullRequest)].join('; '))}</p>
<pre class="text">${escape(pullRequest.body)}</pre>`];
  const results = checks.map(({ name, conclusion, title = '', summary = '' }) => [
    escape(name),
    `<span class="${GOOD.includes(conclusion) ? 'good' : 'bad'}">${escape(conclusion)}</span>`,
    summary === '' ? escape(title) : `<details><summary>${escape(title)}</summary><pre>${escape(summary)}</pre></details>`,
  ]);
  return [
    ...about,
    ...checks.length === 0 ? [] : [`<h3>Checks</h3>\n${table(['check', 'conclusion', ''], results)}`],
    ...comments.map(({ issue, body }) => `<h3>Comment on #${issue}</h3>\n<pre class="text">${escape(body)}</pre>`),
  ].join('\n');
}

const GOOD: readonly string[] = ['success', 'neutral'];

/** The requests of a run to the forge. */
export function forgeRequests({ requests }: ForgeDescription): string {
  const rows = requests.map(({ name, login = '', status, faults }) => [
    `<code>${escape(name)}</code>`, escape(login), `${status ?? 'cut off'}`, escape(faults.join(', ')),
  ]);
  return `<details><summary>${requests.length} requests</summary>${table(['request', 'user', 'status', 'injected faults'], rows)}</details>`;
}
