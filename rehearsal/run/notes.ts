import type { StepKind } from './step';
import { IN_THE_WAY_FOLDER, WORKSPACES } from '../../src/loop/steps/constants';
import type { LoopState, RunIdentity } from '../../src/loop/steps/records';
import { NameList, named } from '../../src/loop/steps/results';

/** The start of a note that names such work. */
export const PUT_AWAY = 'work of the agent that is not in the files of the clone';

/** The start of a note that names what a gate left. */
export const LEFT = 'it left files that git neither tracks nor ignores, which were moved away';

/** Describes, a line each, what a step found or did beyond its verdict, and what a run continues from. */
export function notesOf(kind: StepKind, loop: LoopState, run: RunIdentity | undefined, baseline = loop.baseline): string[] {
  const { putBack, unchanged, findings, leftOut, gates, submodules, shallow } = loop;
  if (baseline) return kind === 'snapshot' ? ['the gates run before the agent starts: their results decide nothing yet'] : [];
  switch (kind) {
    case 'prepare': return [
      ...run?.session.workspace === WORKSPACES.RESUMED ? whereItGoesOn(loop) : [],
      ...note('submodules that are not initialized, so that their directories are empty ("submodules" of GitRepository initializes them)', submodules),
      ...shallow ? ['the history could not be fetched without the contents of earlier versions: the clone has only the newest commit ("depth" of GitRepository gives it more)'] : [],
    ];
    case 'bootstrap': return note('it changed files that git tracks, which were restored', putBack);
    case 'gate': return [
      ...note(LEFT, gates[gates.length - 1]?.left),
      ...gates[gates.length - 1]?.flaky ? ['it had failed on the same files: its result is not always the same'] : [],
    ];
    case 'snapshot': return [
      ...unchanged ? ['nothing changed that can be committed'] : [],
      ...note(PUT_AWAY, findings?.putAway),
      ...note('new, but ignored by git, and so not committed', findings?.ignored),
      ...note('without a file, and so removed', findings?.empty),
      ...note('symbolic links that leave the clone', findings?.links),
      ...note('left out, since it is a tool\'s own or a linked worktree', leftOut),
    ];
    default: return [];
  }
}

function note(text: string, list: NameList | undefined): string[] {
  return list === undefined ? [] : [`${text}: ${named(list).join(', ')}`];
}

/** On what a run in the workspace of an earlier one goes on. */
function whereItGoesOn({ upstream, setAside, work, inTheWay }: LoopState): string[] {
  if (upstream === undefined) return [];
  const { ref = 'the repository', base, tip, behind, updatedFrom } = upstream;
  const from = updatedFrom === undefined ? '' : `, updated from ${updatedFrom.slice(0, 12)}`;
  const commits = behind === undefined ? 'other commits' : behind === 1 ? '1 more commit' : `${behind} more commits`;
  const newer = tip === undefined ? [] : [`${ref} now has ${commits}, up to ${tip.slice(0, 12)}: "--update", or "session.update" in the input, brings them into the workspace`];
  return [
    `continues from ${ref} at ${base.slice(0, 12)}${from}`,
    ...newer,
    ...note('with uncommitted work of earlier runs', work),
    ...note(`set aside, since it belongs to ${setAside?.branch} and is not committed; a run of that task in this session brings it back`, setAside?.files),
    ...note(`replaced by what git has there now, and kept in ${IN_THE_WAY_FOLDER} until the next run`, inTheWay),
  ];
}
