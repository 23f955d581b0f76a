import type { ForgeDescription as Left } from '../../src/journal/forge-description';
import type { ForgeRequest } from '../forge';
import type { GitHubRepositoryState } from '../forge/github';
import type { GitLabProject } from '../forge/gitlab';
import { DRAFT } from '../forge/gitlab/objects';

/** The forge of a rehearsed run, as the run left it. */
export interface ForgeDescription extends Left {
  readonly requests: readonly ForgeRequest[];
}

/** The place of a run at the forge. */
export interface RunPlace {
  /** The URL of the repository's page. */
  readonly url: string;
  /** Missing if the run made none. */
  readonly commit?: { readonly id: string; readonly branch: string };
  /** The start of the run. */
  readonly since: Date;
}

type Parts = Omit<ForgeDescription, 'repository' | 'requests'>;

/** Describes what a run left at GitHub. */
export function atGitHub(state: GitHubRepositoryState, { url, commit, since }: RunPlace): Parts {
  const pull = commit && state.pulls.filter(({ head }) => head === commit.branch).at(-1);
  return {
    ...pull === undefined ? {} : {
      pullRequest: {
        number: pull.number,
        url: `${url}/pull/${pull.number}`,
        title: pull.title,
        body: pull.body ?? '',
        head: pull.head,
        base: pull.base,
        draft: pull.draft,
        labels: [...pull.labels],
        reviewers: [...pull.reviewers],
        teams: [...pull.teams],
        ...pull.autoMerge === undefined ? {} : { autoMerge: pull.autoMerge.method },
      },
    },
    checks: checksOf(state, commit?.id),
    comments: state.comments.filter(isOfRun(since)).map(({ issue, body }) => ({ issue, body })),
  };
}

/** Describes what a run left at GitLab, in the words of `ForgeDescription`. */
export function atGitLab(project: GitLabProject, { url, commit, since }: RunPlace): Parts {
  const request = commit && project.mergeRequests.filter(({ source }) => source === commit.branch).at(-1);
  const statuses = project.statuses.filter((status) => status.commit === commit?.id);
  return {
    ...request === undefined ? {} : {
      pullRequest: {
        number: request.iid,
        url: `${url}/-/merge_requests/${request.iid}`,
        title: request.title,
        body: request.description ?? '',
        head: request.source,
        base: request.target,
        draft: DRAFT.test(request.title),
        labels: [...request.labels],
        reviewers: [...request.reviewers],
        teams: [],
        ...request.autoMerge ? { autoMerge: request.squash ? 'SQUASH' : 'MERGE' } : {},
      },
    },
    checks: lastOfName(statuses.map(({ name, status: conclusion, description }) => ({ name, conclusion, ...titled(description) }))),
    comments: project.notes.filter(isOfRun(since)).map(({ iid, body }) => ({ issue: iid, body })),
  };
}

/** Times at a forge are in whole seconds. */
function isOfRun(since: Date): (written: { readonly updated: string }) => boolean {
  return ({ updated }) => Date.parse(updated) + 1_000 > since.getTime();
}

type Check = ForgeDescription['checks'][number];

function lastOfName(checks: readonly Check[]): Check[] {
  return [...new Map(checks.map((check) => [check.name, check])).values()];
}

function checksOf({ checkRuns, statuses }: GitHubRepositoryState, commit: string | undefined): Check[] {
  return [
    ...checkRuns.filter((run) => run.commit === commit).map(({ name, conclusion, status, title, summary }) => (
      { name, conclusion: conclusion ?? status, ...title === null ? {} : { title }, ...summary === null ? {} : { summary } })),
    ...lastOfName(statuses.filter((status) => status.commit === commit).map(({ context, state, description }) => (
      { name: context, conclusion: state, ...titled(description) }))),
  ];
}

function titled(description: string | null): Pick<Check, 'title'> {
  return description === null ? {} : { title: description };
}
