import { CallOptions } from './api';
import { Octokit } from './octokit';
import { GitHubApp, isOfApp, Place } from './place';
import { Clock } from '../../../handler/clock';
import { GateStatus } from '../forge-client';
import { foundOrMade } from '../found-or-made';
import { bounded } from '../text';

/** The maximum number of characters of a summary. Source: GitHub's description of check runs. */
const SUMMARY_LENGTH = 65_535;

/** The maximum number of characters of a title, a name and a context. */
const NAME_LENGTH = 255;

/** The maximum number of characters of a description. Source: GitHub's message "description is too long (maximum is 140 characters)". */
const DESCRIPTION_LENGTH = 140;

/** Shows gates as check runs, which only apps can make. */
export async function reportCheckRuns(
  octokit: Octokit, { owner, repo }: Place, app: GitHubApp, commit: string, gates: readonly GateStatus[], clock: Clock,
): Promise<void> {
  const request: CallOptions = { permissions: { checks: 'write' } };
  for (const { name: gate, conclusion, title, summary } of gates) {
    const name = bounded(gate, NAME_LENGTH, '…');
    const externalId = `workbench/${gate}`;
    const output = { title: bounded(title, NAME_LENGTH, '…'), summary: bounded(summary, SUMMARY_LENGTH) };
    const content = { status: 'completed' as const, conclusion, output, external_id: externalId };
    const find = async () => {
      const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', { owner, repo, ref: commit, check_name: name, per_page: 100, request });
      // Others may make check runs of the same name, and with the same ID.
      return data.check_runs.find((run) => run.external_id === externalId && isOfApp(run.app, app));
    };
    const make = async () => (await octokit.request('POST /repos/{owner}/{repo}/check-runs', { owner, repo, name, head_sha: commit, ...content, request })).data;
    const { value: run, isFound } = await foundOrMade({ find, make }, clock);
    const isSame = run.conclusion === conclusion && run.output.title === output.title && run.output.summary === output.summary;
    if (isFound && !isSame) {
      await octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', { owner, repo, check_run_id: Number(run.id), ...content, request });
    }
  }
}

/** Shows gates as statuses of the commit. The last status of a context counts, so that a repeat changes nothing. */
export async function reportStatuses(octokit: Octokit, { owner, repo }: Place, commit: string, gates: readonly GateStatus[]): Promise<void> {
  for (const { name, title } of gates) {
    await octokit.request('POST /repos/{owner}/{repo}/statuses/{sha}', {
      owner,
      repo,
      sha: commit,
      state: 'success',
      context: bounded(`workbench/${name}`, NAME_LENGTH, '…'),
      description: bounded(title, DESCRIPTION_LENGTH, '…'),
      request: { permissions: { statuses: 'write' }, isRepeatable: true } satisfies CallOptions,
    });
  }
}
