import { checkPins, isThereAlready, mergesOf, onTopOfOthers } from './branch';
import { LOOP_ERRORS, NEXT, PROTECTED_ACTIONS, leftDirectoryOf } from './constants';
import { LoopError } from './errors';
import { ProtectConfig } from './loop-config';
import { Feedback, Findings } from './records';
import { brief, defined, named, NameList, united } from './results';
import { LoopState } from './state';
import { inWorkspace, judgingVariables, StepRequest, StepTools } from './step';
import { VERDICTS } from '../../jobs/constants';

export interface SnapshotRequest extends StepRequest {
  readonly maxRepairs: number;
  /** True if the gates also run before the first turn. */
  readonly gatesBefore?: boolean;
  readonly protect?: ProtectConfig;
}

/**
 * Records the files as a tree, which the gates then see, even if the agent changed nothing: only the gates can tell whether there was something
 * to do.
 *
 * The agent is told, once in a run, about files that the gates would see and no commit can hold. After that, these are moved out of the clone
 * while the gates run, so that the gates judge what a fresh clone has.
 */
export async function snapshot(request: SnapshotRequest, tools: StepTools): Promise<LoopState> {
  if (request.gatesBefore && request.state.loop.before === undefined) return beforeTheAgent(request, tools);
  const { maxRepairs, protect } = request;
  const { loop, putAway } = await onTopOfOthers(request, tools);
  const mayAsk = loop.told !== true && loop.round < maxRepairs;
  const seen = await inWorkspace(request, tools, 'snapshot', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_BASE: loop.base,
    WB_ASIDE: mayAsk ? 'no' : 'yes',
    WB_LEFT: leftDirectoryOf(loop),
    WB_MERGES: mergesOf(loop),
    WB_RESTORE: protect?.onChange === PROTECTED_ACTIONS.RESTORE ? 'yes' : 'no',
    ...judgingVariables(protect),
  });
  const { tree, ignored, empty, links } = seen;
  if (seen.pinned !== undefined) await checkPins(request, loop, tools);
  const findings = defined({ ignored: brief(ignored), empty: brief(empty), links: brief(links), putAway: brief(putAway) });
  const all = union(loop.findings, findings);
  const unchanged = tree === seen['base-tree'] && loop.merges === undefined && !isThereAlready(request.state.run, loop);
  const { findings: _, judgingFiles: __, protectedFiles: ___, ...before } = loop;
  const isRestored = protect?.onChange === PROTECTED_ACTIONS.RESTORE;
  const protectedFiles = isRestored ? united(loop.protectedFiles, brief(seen.protected)) : brief(seen.protected);
  const recorded = {
    ...before, tree, gates: [], unchanged, ...defined({ findings: all, leftOut: brief(seen['left-out']), judgingFiles: brief(seen.judging), protectedFiles }),
  };
  if (mayAsk && ignored.count + putAway.count + links.count > 0) {
    const feedback = feedbackOf(request, findings, { ignored, empty, links, putAway });
    return { ...recorded, told: true, lastTree: undefined, round: loop.round + 1, feedback, next: NEXT.REPAIR };
  }
  if (seen.protected.count > 0 && protect?.onChange === PROTECTED_ACTIONS.FAIL) {
    throw new LoopError(LOOP_ERRORS.PROTECTED_PATHS, 'the agent changed protected files', named(seen.protected).join(', ').slice(0, 2_000));
  }
  if (seen.protected.count > 0 && protect?.onChange === PROTECTED_ACTIONS.REPAIR) {
    const isStuck = loop.feedback?.protectedFiles !== undefined && loop.lastTree === tree;
    const next = loop.round >= maxRepairs ? NEXT.RED : isStuck ? NEXT.STUCK : NEXT.REPAIR;
    const feedback = protectedFeedback(request, loop, seen.protected);
    return { ...recorded, lastTree: tree, round: next === NEXT.REPAIR ? loop.round + 1 : loop.round, feedback, next };
  }
  // A link to a place that other clones do not have would make the gates judge something other than the commit.
  if (seen.private.count > 0) {
    const feedback = feedbackOf(request, findings, { ignored, empty, links: seen.private, putAway });
    return { ...recorded, feedback, next: loop.round < maxRepairs ? NEXT.STUCK : NEXT.RED };
  }
  return { ...recorded, next: NEXT.GO_ON };
}

/** Returns the feedback for a change to protected files. */
function protectedFeedback({ maxRepairs }: SnapshotRequest, { base, round }: LoopState, files: NameList): Feedback {
  const output = [
    'These files judge your change, and are not yours to change. Put them back as they were, and solve the task without changing them:',
    ...named(files).map((name) => `  ${name}`),
    `"git checkout ${base.slice(0, 12)} -- <file>" puts a file back; remove the files that you added.`,
  ].join('\n');
  return {
    gate: 'protected files',
    command: `git diff --name-only ${base.slice(0, 12)}`,
    verdict: VERDICTS.FAILED,
    exitCode: null,
    output,
    logPath: '',
    repair: round + 1,
    maxRepairs,
    protectedFiles: files.names.slice(0, 50),
  };
}

/** Records the files before the first turn: the gates run on them only to note their results. */
async function beforeTheAgent(request: SnapshotRequest, tools: StepTools): Promise<LoopState> {
  const loop: LoopState = { ...request.state.loop, baseline: true, before: [] };
  const { tree } = await inWorkspace({ ...request, state: { ...request.state, loop } }, tools, 'snapshot', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_BASE: loop.base, WB_ASIDE: 'yes', WB_LEFT: leftDirectoryOf(loop), WB_RESTORE: 'no',
  });
  return { ...loop, tree, next: NEXT.GO_ON };
}

function union(a: Findings = {}, b: Findings): Findings | undefined {
  // Work that the agent has restored is no longer put away.
  const all = defined({
    ignored: united(a.ignored, b.ignored), empty: united(a.empty, b.empty), links: united(a.links, b.links), putAway: b.putAway,
  });
  return Object.keys(all).length === 0 ? undefined : all;
}

const EXPLANATIONS: { readonly [kind in keyof Findings]-?: string } = {
  ignored: 'New files that .gitignore excludes from the commit. If they belong to the change, edit .gitignore, add them with "git add --force", or move them. Otherwise they are moved out of the clone:',
  empty: 'Directories without a file, which git cannot hold. They are removed; put a file into those that must exist:',
  links: 'Symbolic links that lead out of the repository, where other clones have nothing or something else:',
  putAway: 'Work that is not in the files, because it is stashed, or committed elsewhere than on the current branch. Bring what belongs to the change back into the files ("git stash pop", "git merge", "git cherry-pick"):',
};

/** Returns findings as feedback, in the form of a check's output, for agents that read nothing but the prompt. */
function feedbackOf(
  { state: { loop }, maxRepairs }: SnapshotRequest, findings: Findings, lists: { readonly [kind in keyof Findings]-?: NameList },
): Feedback {
  const output = (Object.keys(EXPLANATIONS) as (keyof Findings)[]).filter((kind) => lists[kind].count > 0)
    .map((kind) => [EXPLANATIONS[kind], ...named(lists[kind]).map((name) => `  ${name}`)].join('\n')).join('\n');
  return { gate: 'what can be committed', command: 'git status --ignored', verdict: VERDICTS.FAILED, exitCode: null, output, logPath: '', repair: loop.round + 1, maxRepairs, findings };
}
