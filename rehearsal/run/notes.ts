import type { Step } from './journal';
import type { LoopRecord } from '../../src/loop/records.client';
import { NameList, named } from '../../src/loop/results.client';

/** Before the names of such work. */
export const PUT_AWAY = 'work of the agent that is in no file of the clone';

/** What a step found or did that its verdict does not say, in words. */
export function notesOf({ kind }: Step, { putBack, unchanged, findings, leftOut, gates, submodules, shallow }: LoopRecord): string[] {
  const note = (text: string, list: NameList | undefined) => list === undefined ? [] : [`${text}: ${named(list).join(', ')}`];
  switch (kind) {
    case 'prepare': return [
      ...note('submodules that are not initialized, so that their directories are empty ("submodules" of GitRepository initializes them)', submodules),
      ...shallow ? ['the history could not be fetched without the contents of earlier versions: the clone has only the newest commit ("depth" of GitRepository gives it more)'] : [],
    ];
    case 'bootstrap': return note('it changed files that git has, which were put back', putBack);
    case 'gate': return [
      ...note('it left files that git neither has nor ignores, which were moved away', gates[gates.length - 1]?.left),
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
