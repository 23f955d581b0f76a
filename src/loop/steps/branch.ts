import { LOOP_ERRORS, LOOP_LIMITS } from './constants';
import { BranchMove, LoopRecord } from './records';
import { brief, defined, NameList } from './results';
import { inWorkspace, StepRequest, StepTools } from './step';

const NONE = 'none';

/**
 * What tools read beside the files is put there: history, tags, `origin/<branch>`, submodules. Fails if the run's branch cannot be at the remote,
 * before a turn is paid for.
 */
export async function surrounded(request: StepRequest, tools: StepTools): Promise<LoopRecord> {
  const { history, submodules } = request.config;
  const seen = await inWorkspace(request, tools, 'surroundings', LOOP_ERRORS.CHECKOUT_FAILED, {
    WB_HISTORY: history === true ? 'yes' : 'no',
    WB_SUBMODULES: submodules === true ? 'yes' : 'no',
  });
  const { upstream } = request.state.loop;
  const found = defined({
    submodules: brief(seen.submodules),
    shallow: seen.shallow === undefined ? undefined : true,
    upstream: upstream && { ...upstream, ...defined({ ref: seen.ref, tip: seen.newest, behind: numberOf(seen.behind) }) },
  });
  return { ...branchSeen(request.state.loop, seen.tip), ...found };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Where a change goes. */
export interface Place {
  readonly loop: LoopRecord;
  /** Work of the agent that is not in the files. */
  readonly putAway: NameList;
}

/** What the agent has taken from others is no change of its own: the commit goes on top of it. */
export async function onTopOfOthers(request: StepRequest, tools: StepTools): Promise<Place> {
  const { merges: _, ...loop } = request.state.loop;
  const { base, merges, tip, elsewhere } = await inWorkspace(request, tools, 'adopt', LOOP_ERRORS.SNAPSHOT_FAILED, { WB_BASE: loop.base });
  const { away } = elsewhere === undefined ? { away: { names: [], count: 0 } } : await inWorkspace(request, tools, 'away', LOOP_ERRORS.SNAPSHOT_FAILED, { WB_BASE: base });
  return { loop: { ...branchSeen(loop, tip), base, ...(merges === NONE ? {} : { merges: merges.split(' ') }) }, putAway: away };
}

/** Notes where the run's branch is at the remote, and that it has moved without the run if it has. */
export function branchSeen(loop: LoopRecord, said: string | undefined): LoopRecord {
  if (said === undefined) return loop; // the loop does not push, or the remote did not answer
  const tip = said === NONE ? '' : said;
  if (loop.tip === undefined || loop.tip === tip) return { ...loop, tip };
  const move: BranchMove = { round: loop.round, ...(loop.tip === '' ? {} : { from: loop.tip }), ...(tip === '' ? {} : { to: tip }) };
  return { ...loop, tip, branchMoves: [...loop.branchMoves ?? [], move].slice(-LOOP_LIMITS.branchMoves) };
}

/** Fails if a submodule is to be at a commit that nobody else has. */
export async function checkPins(request: StepRequest, loop: LoopRecord, tools: StepTools): Promise<void> {
  if (request.config.push) await inWorkspace(request, tools, 'pins', LOOP_ERRORS.SNAPSHOT_FAILED, { WB_BASE: loop.base, WB_MERGES: mergesOf(loop) });
}

/** As the scripts take them. */
export function mergesOf({ merges = [] }: LoopRecord): string {
  return merges.join(' ');
}

/** Nothing to commit on a branch that came to this while the run was at work: that is the change, and the gates have to see it. */
export function isThereAlready(run: { readonly base?: string }, { base, tip }: LoopRecord): boolean {
  return base !== run.base && base === tip;
}
