import { costsOf } from './costs';
import { forgePage, forgeRequests } from './forge';
import { escape, table } from './html';
import { stateGraph } from './state-graph';
import { STYLE } from './style';
import { nameOf, timelineOf } from './timeline';
import { maskSecrets } from '../../handler/mask';
import type { AgentRecord } from '../../loop/steps/agent-record';
import { agentInWords } from '../../loop/steps/agent-words';
import { PASSING } from '../../loop/steps/constants';
import { PRICES } from '../../prices/constants';
import { describeRollout } from '../rollout-description';
import type { RepositoryDescription, RunCommitDescription, RunDescription } from '../run-description';
import { endOf, errorOf, isGood, meaningOf, messageOf } from '../run-words';
import type { Step } from '../step';

/** The maximum length of the changes in a report, in characters. */
const PATCH_LENGTH = 65_536;

/** A file beside a report. */
interface ReportPlace {
  /** The name of the file with the change. @default - the change is in the report, if it is known */
  readonly patch?: string;
}

/** A run as one file: opens anywhere, asks no network. */
export function reportOf(record: RunDescription, { patch }: ReportPlace = {}): string {
  const { rollouts = [], faults = [], missingPermissions = [] } = record;
  const forge = record.forge === undefined ? '' : forgePage(record.forge);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(`${record.outcome}: ${record.input.taskId}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1><span class="${isGood(record) ? 'good' : 'bad'}">${escape(record.outcome)}</span> ${escape(record.loop)}</h1>
<p>${escape(record.input.prompt.trim().split('\n')[0])}</p>
<p class="dim">${escape(`${record.startedAt.slice(0, 19).replace('T', ' ')} UTC, ${endOf(record)}, task ${record.input.taskId}, run ${record.id}`)}</p>
${meaningOf(record).map((sentence) => `<p>${escape(sentence)}</p>`).join('\n')}
${record.error === undefined ? '' : `<pre class="error">${escape(`${record.error.name}: ${messageOf(record)}`)}</pre>`}
</header>
<main>
${section('Turns and gates', rounds(record.steps))}
${record.output?.agent === undefined ? '' : section('Agent', agent(record.output.agent))}
${record.commit === undefined ? '' : section('Commit', commit(record.commit, record))}
${patch === undefined ? '' : section('Change', `<p>All changes of the run are in the file <a href="${escape(patch)}">${escape(patch)}</a> beside this report, for <code>git apply</code>.</p>`)}
${forge === '' ? '' : section(record.forge?.pullRequest ? 'Pull request' : 'At the forge', forge)}
${section('Timeline', timelineOf(record.steps))}
${section('Path through the states', stateGraph(record.definition, record.path))}
${rollouts.length === 0 ? '' : section('Rollout', list(rollouts.map(describeRollout), ''))}
${record.calls === undefined ? '' : section('AgentCore calls', table(['operation', 'ms', 'outcome'], record.calls.map(({ operation, milliseconds, outcome }) => [escape(operation), `${milliseconds}`, escape(outcome)])))}
${record.forge === undefined ? '' : section('Requests to the forge', forgeRequests(record.forge))}
${faults.length === 0 ? '' : section('Injected faults', list(faults, ''))}
${missingPermissions.length === 0 ? '' : section('Missing permissions', list(missingPermissions.map(({ role, statement }) => `${role}: ${statement}`), ''))}
${section('Warnings', list(record.warnings, 'none'))}
${section('Estimated AWS charges', costs(record))}
${section('Session', session(record))}
</main>
</body>
</html>
`;
}

function section(title: string, content: string): string {
  return `<section><h2>${title}</h2>\n${content}\n</section>`;
}

function rounds(steps: readonly Step[]): string {
  return steps.filter(({ kind, error, notes }) => kind === 'turn' || kind === 'gate' || kind === 'verify' || kind === 'bootstrap' || error !== undefined || notes?.length).map((step) => {
    const passed = PASSING.includes(step.verdict ?? '');
    const verdict = step.verdict === undefined ? '' : ` <span class="${passed ? 'good' : 'bad'}">${escape(step.verdict)}</span>${step.exitCode ? `, exit code ${step.exitCode}` : ''}`;
    const text = [errorOf(step), step.changedFiles && `changed while it ran: ${step.changedFiles.join(', ')}`, ...step.notes ?? [], testsOf(step), step.output ?? step.log]
      .filter((part) => part).join('\n');
    const open = step.error !== undefined || ((step.kind === 'gate' || step.kind === 'verify') && step.verdict !== undefined && !passed) ? ' open' : '';
    const wrapped = step.error === undefined ? '' : ' class="error"';
    return `<details${open}><summary>${escape(nameOf(step))} <span class="dim">${(step.duration / 1_000).toFixed(2)} s</span>${verdict}</summary><pre${wrapped}>${escape(text || '(no output)')}</pre></details>`;
  }).join('\n');
}

function agent(record: AgentRecord): string {
  const summary = record.summary === undefined ? '' : `\n<pre class="text">${escape(record.summary)}</pre>`;
  return `<p>${escape(agentInWords(record))}</p>${summary}`;
}

function testsOf({ failingTests = [] }: Step): string {
  return failingTests.length === 0 ? '' : `failing tests (${failingTests.length}):\n${failingTests.map((name) => `  ✖ ${name}`).join('\n')}\n`;
}

function commit({ id, branch, commits = [], tree, message, stat, patch }: RunCommitDescription, { repository }: RunDescription): string {
  // Secrets that the cut could shorten to something else are masked before it.
  const shown = patch === undefined ? undefined : maskSecrets(patch.slice(0, 2 * PATCH_LENGTH)).slice(0, PATCH_LENGTH);
  const more = patch === undefined || patch.length <= PATCH_LENGTH ? '' : '<p class="dim">The rest of the changes is not shown.</p>';
  const lines = shown?.split('\n').map((line) => {
    const kind = /^\+(?!\+\+)/.test(line) ? 'added' : /^-(?!--)/.test(line) ? 'removed' : '';
    return kind === '' ? escape(line) : `<span class="${kind}">${escape(line)}</span>`;
  });
  const about = [message, stat].filter((part) => part !== undefined).join('\n\n');
  return `<p><code>${escape(id)}</code> on <strong>${escape(branch)}</strong>${tree === undefined ? '' : `, tree <code>${escape(tree)}</code>`}</p>
${about === '' ? '' : `<pre>${escape(about)}</pre>`}
${commits.length < 2 ? '' : `<p>The branch has ${commits.length} commits:</p>\n${list(commits.map((one) => `${one.id} ${one.subject}`), '')}`}
${lines === undefined ? '' : `<details open><summary>Changes</summary><pre>${lines.join('\n')}</pre>${more}</details>`}
${repository === undefined ? '' : `<p class="dim">To fetch it: <code>git fetch ${escape(repository.copy ?? repository.source)} ${escape(branch)}</code></p>`}`;
}

function list(items: readonly string[], nothing: string): string {
  return items.length === 0 ? `<p class="dim">${nothing}</p>` : `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join('')}</ul>`;
}

function costs(record: RunDescription): string {
  const rows = costsOf(record);
  const total = rows.reduce((sum, { usd }) => sum + usd, 0);
  const usd = (amount: number) => `${amount.toFixed(6)} USD`;
  return `${table(['item', 'amount', 'cost'], [...rows.map(({ item, amount, usd: price }) => [item, amount, usd(price)]), ['<strong>total</strong>', '', usd(total)]])}
<p class="dim">Without the model${record.output?.agent?.costUsd === undefined ? '' : ', whose cost the program of the agent estimates'}. Prices of us-east-1 as of ${PRICES.asOf}; docs/prices.md lists the sources and assumptions.</p>`;
}

function session({ session: found, repository }: RunDescription): string {
  if (!found) return '<p class="dim">no session was started</p>';
  return table([], [
    ['ID', `<code>${escape(found.id)}</code>`],
    ...found.workspace === undefined ? [] : [['workspace', `<code>${escape(found.workspace)}</code>`]],
    ...repository === undefined ? [] : [['repository', `<code>${escape(repository.source)}</code>${whereItWas(repository)}`]],
  ]);
}

function whereItWas({ branch, commit: at, uncommittedFiles = 0 }: RepositoryDescription): string {
  const left = uncommittedFiles > 0 ? `; ${uncommittedFiles} uncommitted and left out` : '';
  return branch === undefined || at === undefined ? left : ` (${escape(branch)} at <code>${escape(at.slice(0, 12))}</code>${left})`;
}
