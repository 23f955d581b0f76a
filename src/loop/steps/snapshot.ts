import { checkPins, isThereAlready, onTopOfOthers } from './branch';
import { LOOP_ERRORS, NEXT } from './constants';
import { timeOf } from './job-names';
import { Feedback, Findings, LoopRecord } from './records';
import { brief, defined, named, NameList, united } from './results';
import { inWorkspace, StepRequest, StepTools } from './step';
import { VERDICTS } from '../../jobs/constants';

export interface SnapshotRequest extends StepRequest {
  readonly maxRepairs: number;
  /** Whether the gates run before the first turn too. */
  readonly gatesBefore?: boolean;
}

/**
 * Records the files as a tree, before the gates see them. They see it whether or not the agent changed anything: only they know whether
 * there was something to do.
 *
 * What the gates would see and no commit can hold is told to the agent, once in a run. After that it is out of the clone while the gates
 * run, so that they judge what a fresh clone has.
 */
export async function snapshot(request: SnapshotRequest, tools: StepTools): Promise<LoopRecord> {
  if (request.gatesBefore && request.state.loop.before === undefined) return beforeTheAgent(request, tools);
  const { maxRepairs } = request;
  const { loop, putAway } = await onTopOfOthers(request, tools);
  const mayAsk = loop.told !== true && loop.round < maxRepairs;
  const seen = await inWorkspace(request, tools, 'snapshot', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_BASE: loop.base,
    WB_ASIDE: mayAsk ? 'no' : 'yes',
    WB_LEFT: timeOf(loop),
  });
  const { tree, ignored, empty, links } = seen;
  if (seen.pinned !== undefined) await checkPins(request, loop, tools);
  const findings = defined({ ignored: brief(ignored), empty: brief(empty), links: brief(links), putAway: brief(putAway) });
  const all = union(loop.findings, findings);
  const unchanged = tree === seen['base-tree'] && loop.merges === undefined && !isThereAlready(request.state.run, loop);
  const { findings: _, ...before } = loop;
  const recorded = { ...before, tree, gates: [], unchanged, ...defined({ findings: all, leftOut: brief(seen['left-out']) }) };
  if (mayAsk && ignored.count + putAway.count + links.count > 0) {
    const feedback = feedbackOf(request, findings, { ignored, empty, links, putAway });
    return { ...recorded, told: true, lastTree: undefined, round: loop.round + 1, feedback, next: NEXT.REPAIR };
  }
  // A link to where no other clone has anything would make the gates judge something else than the commit.
  if (seen.private.count > 0) {
    const feedback = feedbackOf(request, findings, { ignored, empty, links: seen.private, putAway });
    return { ...recorded, feedback, next: loop.round < maxRepairs ? NEXT.STUCK : NEXT.RED };
  }
  return { ...recorded, next: NEXT.GO_ON };
}

/** Records the files as they are before the first turn: the gates run on them, and nothing comes of it but what they say. */
async function beforeTheAgent(request: SnapshotRequest, tools: StepTools): Promise<LoopRecord> {
  const loop: LoopRecord = { ...request.state.loop, baseline: true, before: [] };
  const { tree } = await inWorkspace({ ...request, state: { ...request.state, loop } }, tools, 'snapshot', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_BASE: loop.base, WB_ASIDE: 'yes', WB_LEFT: timeOf(loop),
  });
  return { ...loop, tree, next: NEXT.GO_ON };
}

function union(a: Findings = {}, b: Findings): Findings | undefined {
  // Work that the agent has brought back is not away any more.
  const all = defined({
    ignored: united(a.ignored, b.ignored), empty: united(a.empty, b.empty), links: united(a.links, b.links), putAway: b.putAway,
  });
  return Object.keys(all).length === 0 ? undefined : all;
}

const WHAT: { readonly [kind in keyof Findings]-?: string } = {
  ignored: 'New files that .gitignore leaves out of the commit. If they belong to the change, change .gitignore, add them with "git add --force", or move them; they are moved out of the clone otherwise:',
  empty: 'Directories without a file, which git cannot hold. They are removed; put a file into those that have to be there:',
  links: 'Symbolic links that lead out of the repository, where other clones have nothing or something else:',
  putAway: 'Work that is not in the files, since it is stashed, or committed where the clone is not. Bring what belongs to the change back into the files ("git stash pop", "git merge", "git cherry-pick"):',
};

/** For an agent that reads only the prompt, findings are the output of a check. */
function feedbackOf(
  { state: { loop }, maxRepairs }: SnapshotRequest, findings: Findings, lists: { readonly [kind in keyof Findings]-?: NameList },
): Feedback {
  const output = (Object.keys(WHAT) as (keyof Findings)[]).filter((kind) => lists[kind].count > 0)
    .map((kind) => [WHAT[kind], ...named(lists[kind]).map((name) => `  ${name}`)].join('\n')).join('\n');
  return { gate: 'what can be committed', command: 'git status --ignored', verdict: VERDICTS.FAILED, exitCode: null, output, logPath: '', repair: loop.round + 1, maxRepairs, findings };
}
