import { LOOP_ERRORS, LOOP_LIMITS, NEXT } from './constants';
import { LoopError } from './errors';
import { BranchMove } from './records';
import { brief, defined, NameList } from './results';
import { LoopState } from './state';
import { inWorkspace, StepRequest, StepTools } from './step';

const NONE = 'none';

/**
 * Provides what tools read beside the files: history, tags, `origin/<branch>`, submodules. Throws if the run's branch cannot be created at the
 * remote, before a turn is paid for.
 */
export async function surrounded(request: StepRequest, tools: StepTools): Promise<LoopState> {
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

/** The place of a change in the history. */
export interface Place {
  readonly loop: LoopState;
  /** Work of the agent that is not in the files. */
  readonly putAway: NameList;
}

/** Bases the commit on what the agent took from others: that is no change of the agent's own. */
export async function onTopOfOthers(request: StepRequest, tools: StepTools): Promise<Place> {
  const { merges: _, ...loop } = request.state.loop;
  const { base, merges, tip, elsewhere } = await inWorkspace(request, tools, 'adopt', LOOP_ERRORS.SNAPSHOT_FAILED, { WB_BASE: loop.base });
  const { away } = elsewhere === undefined ? { away: { names: [], count: 0 } } : await inWorkspace(request, tools, 'away', LOOP_ERRORS.SNAPSHOT_FAILED, { WB_BASE: base });
  return { loop: { ...branchSeen(loop, tip), base, ...(merges === NONE ? {} : { merges: merges.split(' ') }) }, putAway: away };
}

/** Notes the commit of the run's branch at the remote, and whether the branch has moved without the run. */
export function branchSeen(loop: LoopState, said: string | undefined): LoopState {
  if (said === undefined) return loop; // the loop does not push, or the remote did not answer
  const tip = said === NONE ? '' : said;
  if (loop.tip === undefined || loop.tip === tip) return { ...loop, tip };
  const move: BranchMove = { round: loop.round, ...(loop.tip === '' ? {} : { from: loop.tip }), ...(tip === '' ? {} : { to: tip }) };
  return { ...loop, tip, branchMoves: [...loop.branchMoves ?? [], move].slice(-LOOP_LIMITS.branchMoves) };
}

/** Throws if a submodule is pinned to a commit that nobody else has. */
export async function checkPins(request: StepRequest, loop: LoopState, tools: StepTools): Promise<void> {
  if (request.config.push) await inWorkspace(request, tools, 'pins', LOOP_ERRORS.SNAPSHOT_FAILED, { WB_BASE: loop.base, WB_MERGES: mergesOf(loop) });
}

/**
 * Puts the change, in the agent's workspace, on top of what the remote has now: on the run's branch or, if that does not exist, on what runs start
 * from. Everything that judges the change starts again.
 *
 * @param commit names the attempt, so that a repeated call continues it
 */
export async function rebased(request: StepRequest, tools: StepTools, loop: LoopState, commit: string): Promise<LoopState> {
  if (loop.rebases >= LOOP_LIMITS.rebases) {
    throw new LoopError(LOOP_ERRORS.PUSH_REJECTED, `others pushed to the branch ${request.state.run.branch} ${loop.rebases + 1} times during the run`);
  }
  const { base, tip } = await inWorkspace(request, tools, 'rebase', LOOP_ERRORS.PUSH_REJECTED, {
    WB_TREE: loop.tree!, WB_BASE: loop.base, WB_MERGES: mergesOf(loop), WB_COMMIT: commit,
  });
  return { ...branchSeen(loop, tip), base, rebases: loop.rebases + 1, lastTree: undefined, next: NEXT.AGAIN };
}

/** Formats the other parents for the scripts. */
export function mergesOf({ merges = [] }: LoopState): string {
  return merges.join(' ');
}

/** Determines whether the branch got the change during the run, so that there is nothing left to commit: the gates must see it all the same. */
export function isThereAlready(run: { readonly base?: string }, { base, tip }: LoopState): boolean {
  return base !== run.base && base === tip;
}
