import { checkPins, isThereAlready, onTopOfOthers } from './branch.client';
import { LOOP_ERRORS, NEXT } from './constants';
import { Feedback, Findings, LoopRecord } from './records.client';
import { brief, defined, named, NameList, united } from './results.client';
import { inWorkspace, StepRequest, StepTools } from './step.client';
import { VERDICTS } from '../session/constants';

export interface SnapshotRequest extends StepRequest {
  readonly maxRepairs: number;
}

/**
 * Records the files as a tree, before the gates see them.
 *
 * What the gates would see and no commit can hold is told to the agent, once in a run. After that it is out of the clone while the gates
 * run, so that they judge what a fresh clone has.
 */
export async function snapshot(request: SnapshotRequest, tools: StepTools): Promise<LoopRecord> {
  const { maxRepairs } = request;
  const loop = await onTopOfOthers(request, tools);
  const mayAsk = loop.told !== true && loop.round < maxRepairs;
  const seen = await inWorkspace(request, tools, 'snapshot', LOOP_ERRORS.SNAPSHOT_FAILED, {
    WB_BASE: loop.base,
    WB_ASIDE: mayAsk ? 'no' : 'yes',
    WB_LEFT: `${loop.round}-${loop.losses}-${loop.rebases}`,
  });
  const { tree, ignored, empty, links } = seen;
  if (seen.pinned !== undefined) await checkPins(request, loop, tools);
  const findings = defined({ ignored: brief(ignored), empty: brief(empty), links: brief(links) });
  const all = union(loop.findings, findings);
  const recorded = { ...loop, tree, gates: [], ...defined({ findings: all, leftOut: brief(seen['left-out']) }) };
  const nothing = tree === seen['base-tree'] && loop.merges === undefined && !isThereAlready(request.state.run, loop);
  if (mayAsk && (ignored.count > 0 || (!nothing && links.count > 0))) {
    const feedback = feedbackOf(request, findings, { ignored, empty, links });
    return { ...recorded, told: true, lastTree: undefined, round: loop.round + 1, feedback, next: NEXT.REPAIR };
  }
  if (nothing) return { ...recorded, next: NEXT.NO_CHANGES };
  // A link to where no other clone has anything would make the gates judge something else than the commit.
  if (seen.private.count > 0) {
    const feedback = feedbackOf(request, findings, { ignored, empty, links: seen.private });
    return { ...recorded, feedback, next: loop.round < maxRepairs ? NEXT.STUCK : NEXT.RED };
  }
  return { ...recorded, next: NEXT.GO_ON };
}

function union(a: Findings = {}, b: Findings): Findings | undefined {
  const all = defined({ ignored: united(a.ignored, b.ignored), empty: united(a.empty, b.empty), links: united(a.links, b.links) });
  return Object.keys(all).length === 0 ? undefined : all;
}

const WHAT: { readonly [kind in keyof Findings]-?: string } = {
  ignored: 'New files that .gitignore leaves out of the commit. If they belong to the change, change .gitignore, add them with "git add --force", or move them; they are moved out of the clone otherwise:',
  empty: 'Directories without a file, which git cannot hold. They are removed; put a file into those that have to be there:',
  links: 'Symbolic links that lead out of the repository, where other clones have nothing or something else:',
};

/** For an agent that reads only the prompt, findings are the output of a check. */
function feedbackOf(
  { state: { loop }, maxRepairs }: SnapshotRequest, findings: Findings, lists: { readonly [kind in keyof Findings]-?: NameList },
): Feedback {
  const output = (Object.keys(WHAT) as (keyof Findings)[]).filter((kind) => lists[kind].count > 0)
    .map((kind) => [WHAT[kind], ...named(lists[kind]).map((name) => `  ${name}`)].join('\n')).join('\n');
  return { gate: 'what can be committed', command: 'git status --ignored', verdict: VERDICTS.FAILED, exitCode: null, output, logPath: '', repair: loop.round + 1, maxRepairs, findings };
}
