import type { StepKind } from './step';
import { counted } from '../handler/counted';
import { GATE_VERDICTS, IN_THE_WAY_FOLDER, WORKSPACES } from '../loop/steps/constants';
import { isGreen } from '../loop/steps/gate';
import type { GateRecord, OnlyInWorkspace } from '../loop/steps/records';
import { NameList, named } from '../loop/steps/results';
import type { LoopState, RunIdentity } from '../loop/steps/state';

/** The start of a note that names such work. */
export const PUT_AWAY = 'work of the agent that is not in the files of the clone';

/** The start of a note that names what a gate left. */
export const LEFT = 'it left files that git neither tracks nor ignores, which were moved away';

/** Returns notes on what a step found or did besides its verdict, and on the state that a run continues from, one line each. */
export function notesOf(kind: StepKind, loop: LoopState, run: RunIdentity | undefined, baseline = loop.baseline): string[] {
  const { baseCheck, putBack, unchanged, feedback, verification, findings, leftOut, gates, submodules, shallow } = loop;
  if (baseline) return kind === 'snapshot' ? ['the gates run before the agent starts: their results do not decide anything yet'] : [];
  switch (kind) {
    case 'prepare': return [
      ...run?.session.workspace === WORKSPACES.RESUMED ? whereItGoesOn(loop) : [],
      ...note('submodules that are not initialized, so that their directories are empty ("submodules" of GitRepository initializes them)', submodules),
      ...shallow ? ['the history could not be fetched without the contents of earlier versions: the clone has only the newest commit (set "depth" of GitRepository for more)'] : [],
    ];
    case 'bootstrap': return note('it changed files that git tracks, which were restored', putBack);
    case 'gate': return [
      ...note(LEFT, gates[gates.length - 1]?.left),
      ...testNotes(gates[gates.length - 1]),
      ...gates[gates.length - 1]?.verdict === GATE_VERDICTS.FLAKY ? ['it failed on the same files before, so it is flaky'] : [],
    ];
    case 'snapshot': return [
      ...unchanged ? ['nothing changed that can be committed'] : [],
      ...note(PUT_AWAY, findings?.putAway),
      ...note('new files that git ignores, which are not committed', findings?.ignored),
      ...note('empty directories, which were removed', findings?.empty),
      ...note('symbolic links that point out of the clone', findings?.links),
      ...note('files of tools and linked worktrees, which were left out', leftOut),
    ];
    case 'check-base': return (baseCheck?.gates ?? []).flatMap((gate) => (isGreen(gate) ? [] : [`the gate "${gate.name}" does not pass on the base (${gate.verdict}): its failures are known`]));
    case 'verify': return [
      ...(verification?.gates ?? []).flatMap(({ name, verdict, flakyTests }) => (verdict === GATE_VERDICTS.FLAKY
        ? [`the gate "${name}" is flaky: it passed when it ran again on the same files`, ...note('tests that had failed', flakyTests)] : [])),
      ...feedback?.cleanCheckout && verification?.isOver ? [`the gate "${feedback.gate}" passes in the agent's workspace, but not in a clean checkout`, ...surplusNotes(feedback.onlyInWorkspace)] : [],
      ...verification?.separate === false ? ['the gates ran as the user of the container: a user of their own needs root and "setpriv" in the image'] : [],
    ];
    default: return [];
  }
}

/** Returns notes on what the agent's workspace has, and the clean checkout lacks. */
function surplusNotes({ files, packages, programs }: OnlyInWorkspace = {}): string[] {
  return [
    ...note('files that git ignores, only in the agent\'s workspace', files),
    ...note('packages that the bootstrap does not install, only in the agent\'s workspace', packages),
    ...note('programs, only in the agent\'s workspace', programs),
  ];
}

function note(text: string, list: NameList | undefined): string[] {
  return list === undefined ? [] : [`${text}: ${named(list).join(', ')}`];
}

/** Describes the state that a run continues from in the workspace of an earlier one. */
function whereItGoesOn({ upstream, setAside, work, inTheWay }: LoopState): string[] {
  if (upstream === undefined) return [];
  const { ref = 'the repository', base, tip, behind, updatedFrom } = upstream;
  const from = updatedFrom === undefined ? '' : `, updated from ${updatedFrom.slice(0, 12)}`;
  const commits = behind === undefined ? 'other commits' : counted(behind, 'more commit');
  const newer = tip === undefined ? [] : [`${ref} now has ${commits}, up to ${tip.slice(0, 12)}: "--update", or "session.update" in the input, brings them into the workspace`];
  return [
    `continues from ${ref} at ${base.slice(0, 12)}${from}`,
    ...newer,
    ...note('with uncommitted work of earlier runs', work),
    ...note(`set aside, since it belongs to ${setAside?.branch} and is not committed; a run of that task in this session brings it back`, setAside?.files),
    ...note(`replaced by tracked files, and kept in ${IN_THE_WAY_FOLDER} until the next run`, inTheWay),
  ];
}

/** Returns notes on the tests of a gate with a report. */
function testNotes({ tests, reason, knownFailure }: Partial<GateRecord> = {}): string[] {
  const { ran = 0, failed = 0, knownFailures = 0, ranBefore = 0 } = tests ?? {};
  return [
    ...reason === undefined ? [] : [reason],
    ...knownFailure ? [tests === undefined ? 'it fails in the same way on the base' : `${knownFailures} of ${ran} tests fail, as on the base`] : [],
    ...!knownFailure && failed > 0 ? [`${failed} of ${ran} tests fail${knownFailures > 0 ? `, ${knownFailures} of them on the base, too` : ''}`] : [],
    ...ran < ranBefore ? [`${counted(ran, 'test')} ran, and ${ranBefore} ran on the base`] : [],
  ];
}
