import type { Feedback, OnlyInWorkspace } from './records';
import { named } from './results';
import { counted } from '../../handler/counted';

/**
 * Returns the prompt of a repair: the task and the feedback, for agents that read nothing but the prompt. A file of its own, which only repairs
 * load.
 */
export function repairPrompt(prompt: string, feedback: Feedback): string {
  const { gate, command, verdict, exitCode, output, logPath, repair, maxRepairs } = feedback;
  const { unchanged, changedFiles, findings, cleanCheckout, onlyInWorkspace, protectedFiles, reason } = feedback;
  const results: { readonly [verdict: string]: string } = {
    TIMED_OUT: 'did not end within its time limit and was stopped',
    FAILED: `failed with exit code ${exitCode}`,
  };
  if (logPath === '') {
    return [
      prompt, '', '---',
      `Your change is not accepted yet: ${protectedFiles === undefined ? 'part of it cannot be committed' : 'it changes protected files'}.`
      + ` This is repair ${repair} of ${maxRepairs}.`,
      output, '---',
    ].join('\n');
  }
  return [
    prompt,
    '',
    '---',
    ...(cleanCheckout ? [
      'Your change passes all checks in your workspace, but not in a clean checkout: a fresh session has the committed files and what the bootstrap installs, and nothing else of your workspace.',
    ] : []),
    `${unchanged ? 'You have not changed anything that can be committed' : 'Your change is not accepted yet'}: the check "${gate}" ${results[verdict] ?? `ended with ${verdict}`}. This is repair ${repair} of ${maxRepairs}.`,
    ...(reason === undefined ? [] : [`The reason: ${reason}.`]),
    ...testLines(feedback),
    `The check runs: ${command.trim().replace(/\n/g, '\n  ')}`,
    ...(changedFiles === undefined ? [] : [
      'Files changed while it ran. A check must not change files (its changes are undone), and nothing else may write to them in the meantime:',
      ...changedFiles.map((file) => `  ${file}`),
    ]),
    ...(findings?.ignored === undefined ? [] : [`Ignored by .gitignore, so not in the commit, and not present while the check ran: ${named(findings.ignored).join(', ')}`]),
    ...(findings?.empty === undefined ? [] : [`Directories without a file, which git cannot hold and which were removed: ${named(findings.empty).join(', ')}`]),
    ...(findings?.putAway === undefined ? [] : [`Stashed, or committed elsewhere than on the current branch, so not in the files while the check ran: ${named(findings.putAway).join(', ')}`]),
    ...surplusLines(onlyInWorkspace),
    cleanCheckout ? 'The end of its output:' : `The end of its output (all of it is in ${logPath}):`,
    '',
    output,
    '---',
    cleanCheckout
      ? 'Make the committed files sufficient: declare each dependency, and commit each file that is needed. Do not weaken or remove the check.'
      : 'Fix the cause. Do not weaken or remove the check.',
  ].join('\n');
}

/** Returns what an agent is told about its workspace, which has more than a clean checkout. */
function surplusLines({ files, packages, programs }: OnlyInWorkspace = {}): string[] {
  const kinds = { 'files that git ignores': files, 'packages that the bootstrap does not install': packages, programs };
  const lines = Object.entries(kinds).flatMap(([kind, list]) => (list === undefined ? [] : [`  ${kind}: ${named(list).join(', ')}`]));
  return lines.length === 0 ? [] : ['Only in your workspace, and not in the clean checkout:', ...lines];
}

/** Returns what an agent is told about the tests of a check: names first. */
function testLines({ tests, failingTests = [] }: Feedback): string[] {
  if (tests === undefined) return [];
  const { ran, failed, knownFailures = 0, ranBefore } = tests;
  const known = knownFailures === 0 ? '' : `, ${knownFailures} of which also ${knownFailures === 1 ? 'fails without your change and comes' : 'fail without your change and come'} last`;
  return [
    ...(failed > 0 ? [`Failing tests (${failed} of ${ran}${known}):`, ...failingTests.map((name) => `  ${name}`)] : []),
    ...(failed > failingTests.length ? [`  (and ${failed - failingTests.length} more)`] : []),
    ...(ranBefore !== undefined && ran < ranBefore ? [`${counted(ran, 'test')} ran, and ${ranBefore} ran without your change: do not remove or skip tests.`] : []),
  ];
}
