import type { StepKind } from './step';
import { IN_THE_WAY_FOLDER, WORKSPACES } from '../../src/loop/steps/constants';
import type { LoopRecord, RunRecord } from '../../src/loop/steps/records';
import { NameList, named } from '../../src/loop/steps/results';

/** Before the names of such work. */
export const PUT_AWAY = 'work of the agent that is in no file of the clone';

/** Before the names of what a gate left. */
export const LEFT = 'it left files that git neither has nor ignores, which were moved away';

/** What a step found or did that its verdict does not say, and on what a run goes on, in words: a line each. */
export function notesOf(kind: StepKind, loop: LoopRecord, run: RunRecord | undefined, baseline = loop.baseline): string[] {
  const { putBack, unchanged, findings, leftOut, gates, submodules, shallow } = loop;
  if (baseline) return kind === 'snapshot' ? ['the gates run before the agent begins: what they say now decides nothing'] : [];
  switch (kind) {
    case 'prepare': return [
      ...run?.session.workspace === WORKSPACES.RESUMED ? whereItGoesOn(loop) : [],
      ...note('submodules that are not initialized, so that their directories are empty ("submodules" of GitRepository initializes them)', submodules),
      ...shallow ? ['the history could not be fetched without the contents of earlier versions: the clone has only the newest commit ("depth" of GitRepository gives it more)'] : [],
    ];
    case 'bootstrap': return note('it changed files that git has, which were put back', putBack);
    case 'gate': return [
      ...note(LEFT, gates[gates.length - 1]?.left),
      ...gates[gates.length - 1]?.flaky ? ['it had failed on the same files: it does not always say the same'] : [],
    ];
    case 'snapshot': return [
      ...unchanged ? ['nothing has changed that can be committed'] : [],
      ...note(PUT_AWAY, findings?.putAway),
      ...note('new, but ignored, and so not in what can be committed', findings?.ignored),
      ...note('without a file, and so removed', findings?.empty),
      ...note('symbolic links out of the clone', findings?.links),
      ...note('left out, since it is a tool\'s own or a linked worktree', leftOut),
    ];
    default: return [];
  }
}

function note(text: string, list: NameList | undefined): string[] {
  return list === undefined ? [] : [`${text}: ${named(list).join(', ')}`];
}

/** On what a run in the workspace of an earlier one goes on. */
function whereItGoesOn({ upstream, setAside, work, inTheWay }: LoopRecord): string[] {
  if (upstream === undefined) return [];
  const { ref = 'the repository', base, tip, behind, updatedFrom } = upstream;
  const from = updatedFrom === undefined ? '' : `, updated from ${updatedFrom.slice(0, 12)}`;
  const commits = behind === undefined ? 'other commits' : behind === 1 ? '1 more commit' : `${behind} more commits`;
  const newer = tip === undefined ? [] : [`${ref} has ${commits} by now, up to ${tip.slice(0, 12)}: "--update", or "session.update" in the input, brings them into the workspace`];
  return [
    `goes on from ${ref} at ${base.slice(0, 12)}${from}`,
    ...newer,
    ...note('with work of earlier runs that is not committed', work),
    ...note(`set aside, since it belongs to ${setAside?.branch} and is not committed; a run of that task in this session brings it back`, setAside?.files),
    ...note(`moved away for what git has there now, and kept in ${IN_THE_WAY_FOLDER} until the next run`, inTheWay),
  ];
}
