import type { ForgeDescription, PullRequestDescription } from './forge-description';

/** Describes a pull request in a line, such as `pull request #1 into main, a draft`. */
export function pullRequestInWords({ number, base, draft }: PullRequestDescription): string {
  return `pull request #${number} into ${base}${draft ? ', a draft' : ''}`;
}

/** Describes what a pull request has beside its text, a phrase each. */
export function extrasOf({ labels, reviewers, teams, autoMerge }: PullRequestDescription): string[] {
  return [
    ...labels.length === 0 ? [] : [`labels: ${labels.join(', ')}`],
    ...reviewers.length + teams.length === 0 ? [] : [`reviewers: ${[...reviewers, ...teams].join(', ')}`],
    ...autoMerge === undefined ? [] : [`merged by the forge once its rules are met (${autoMerge})`],
  ];
}

/** Describes the checks of a commit, such as `test success (PASSED, 12 tests)`. */
export function checksInWords({ checks }: ForgeDescription): string[] {
  return checks.map(({ name, conclusion, title }) => `${name} ${conclusion}${title === undefined ? '' : ` (${title})`}`);
}
