import { randomUUID } from 'crypto';
import { surrounded } from './branch';
import { BOOTSTRAP_ENDED, CLONE_FOLDER, LOOP_ERRORS, LOOP_LIMITS, NEXT, NOTHING_TO_STOP, WORKSPACES } from './constants';
import { LoopError } from './errors';
import { branchOf, checkInput, checkRepository, checkRepositoryOfInput } from './input';
import { LoopConfig } from './loop-config';
import { begunBefore, isGuest, isUnderWay, isUnderWaySomewhere, occupantOf } from './occupant';
import { LoopInput } from './records';
import { brief, defined, Results } from './results';
import { measureEnd, outputOf } from './run-record';
import { DEFAULT_ENDPOINT, LoopSession, nameOf, runIdOf, sessionOf } from './sessions';
import { LoopState, RunIdentity } from './state';
import { inWorkspace, repeatedIfLost, runStepJob, settled, StepJob, StepRequest, StepTools, stillRunning, strictly } from './step';
import { ERRORS, LIMITS, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { JobResult } from '../../jobs/job';

export interface PrepareRequest extends Omit<StepRequest, 'state' | 'config'> {
  readonly config: LoopConfig & {
    readonly repository?: { readonly url: string; readonly ref?: string };
    /** The patterns of the repositories that an input may name. */
    readonly allow?: readonly string[];
    readonly branchPrefix: string;
    readonly timeoutSeconds: number;
    /** The maximum length of the prompt as JSON, in bytes. */
    readonly promptBytes: number;
  };
  /** The start time of the execution; by default the current time. */
  readonly startedAt?: string;
  readonly state: LoopInput;
}

/** The maximum length of a message about a wrong input. Lambda's error has it twice, and Step Functions keeps 32,768 characters of that. */
const MESSAGE_LENGTH = 4_000;

/** First step. If the run is refused, so that nothing was started and nothing is to stop, the error's message is the run's record. */
export async function prepareOrRefuse(request: PrepareRequest, tools: StepTools) {
  try {
    return await prepare(request, tools);
  } catch (error) {
    if (!(error instanceof LoopError) || !NOTHING_TO_STOP.includes(error.name)) throw error;
    const { execution, config } = request;
    const input = request.state as LoopInput | null;
    const state = { taskId: input?.taskId, error: { Error: error.name, Cause: error.message.slice(0, MESSAGE_LENGTH) } };
    // A wrong input may have anything in the place of a session.
    const where = sessionOf(execution, error.name === LOOP_ERRORS.BAD_INPUT ? undefined : input, config.endpointName);
    const record = outputOf(state, { endpointName: DEFAULT_ENDPOINT, ...where!.session, stopped: false });
    measureEnd(tools, config, record);
    throw error.recordedAs(JSON.stringify(record));
  }
}

/** Checks the input, takes the workspace for this run and puts the repository there. Returns the whole state. */
export async function prepare(request: PrepareRequest, tools: StepTools) {
  const { state: input, config } = request;
  checkInput(input, config.promptBytes);
  checkRepositoryOfInput(input.repository?.url, config);
  const url = input.repository?.url ?? config.repository?.url;
  if (url === undefined) throw new LoopError(LOOP_ERRORS.BAD_INPUT, '"repository.url" must name a repository: the loop has none of its own');
  if (input.issue !== undefined && config.forge?.comments !== true) {
    throw new LoopError(LOOP_ERRORS.BAD_INPUT, '"issue" must be left out: the repository of the loop has no forge with issues');
  }
  const started = Date.parse(request.startedAt ?? '');
  const startedAt = Math.floor((Number.isNaN(started) ? tools.clock.now() : started) / 1_000);
  const sameRepository = input.repository?.url === undefined || input.repository.url === config.repository?.url;
  const ref = input.repository?.ref ?? (sameRepository ? config.repository?.ref : undefined);
  checkRepository({ url, ref });
  await tools.admit?.();
  // A run that has waited has all of its time.
  const begunAt = config.operate?.queueSeconds === undefined ? startedAt : Math.floor(tools.clock.now() / 1_000);
  const where = await freeSession(request, tools);
  const run: RunIdentity = {
    id: runIdOf(request.execution),
    key: randomUUID(),
    taskId: input.taskId,
    ...(input.issue === undefined ? {} : { issue: input.issue }),
    session: where.session,
    mount: config.mount,
    clone: `${config.mount}/${CLONE_FOLDER}`,
    repository: { url, ...(ref === undefined ? {} : { ref }) },
    branch: branchOf(config.branchPrefix, input.taskId),
    startedAt,
    deadline: begunAt + config.timeoutSeconds,
  };
  const loop: LoopState = { next: NEXT.GO_ON, round: 0, losses: 0, rebases: 0, base: '', gates: [] };
  const state = { prompt: input.prompt, taskId: input.taskId, run, loop };
  const variables = { WB_DEADLINE: run.deadline, WB_REF_OF_INPUT: input.repository?.ref ?? '', WB_UPDATE: saying(input.session?.update) };
  const { workspace, moves, ...there } = await taken(where, { ...request, state }, tools, variables);
  if (workspace !== WORKSPACES.NEW && workspace !== WORKSPACES.RESUMED) throw new LoopError(LOOP_ERRORS.CHECKOUT_FAILED, `the workspace is neither new nor resumed: "${workspace}"`);
  const moved = moves === undefined ? undefined : await inWorkspace({ ...request, state }, tools, 'move', LOOP_ERRORS.CHECKOUT_FAILED, {
    WB_UPDATE: saying(input.session?.update),
    WB_ON_TOP: saying(input.session?.onTop),
    WB_SUBMODULES: saying(config.submodules),
    WB_DATE: run.startedAt,
  });
  const { base, 'stands-on': standsOn, work } = moved ?? there;
  const found = defined({
    upstream: { base: standsOn, ...defined({ updatedFrom: moved?.['updated-from'] }) },
    setAside: moved?.['came-from'] === undefined || moved.aside.count === 0 ? undefined : { branch: moved['came-from'], files: brief(moved.aside)! },
    work: brief(work),
    inTheWay: moved && brief(moved['in-the-way']),
  });
  const prepared = { ...state, run: { ...run, base, session: { ...run.session, workspace } }, loop: { ...loop, base, ...found } };
  return { ...prepared, loop: await surrounded({ ...request, state: prepared }, tools) };
}

/** Formats a flag for the scripts. */
function saying(is: boolean | undefined): string {
  return is === true ? 'yes' : 'no';
}

/** Returns the run's session. Throws if the input names one that is not the loop's, or one that another run is using. */
async function freeSession({ execution, state: input, config }: PrepareRequest, tools: StepTools): Promise<LoopSession> {
  const found = sessionOf(execution, input, config.endpointName);
  const refused = (why: string) => new LoopError(LOOP_ERRORS.BAD_INPUT, '"session" must be one that this run can continue in', why);
  if (found === undefined) throw refused('"session" must be the whole "session" of the record of an earlier execution of the same state machine');
  if (input.session === undefined) return found;
  if (found.maker === execution) throw refused('it is this run\'s own: omit "session"');
  const maker = await tools.executions.describe(found.maker);
  if (maker === undefined) throw refused(`Step Functions does not know the execution ${nameOf(found.maker)}: it forgets executions after 90 days`);
  if (isGuest(maker)) throw refused(`the execution ${nameOf(found.maker)} continued in another session: use the "session" of its record`);
  const own = await tools.executions.describe(execution);
  for (let asked = 0; ; asked++) {
    const occupant = await occupantOf(found, execution, tools, own && begunBefore(own));
    if (occupant === undefined) return found;
    if (asked >= LOOP_LIMITS.busyTries) throw busy(occupant);
    await tools.clock.sleep(tools.backoffSeconds * 2 ** asked);
  }
}

/**
 * Takes the workspace, and puts the repository there.
 *
 * The marker in the workspace separates two runs that start at the same time. A run that is over does not keep others out, and Step Functions
 * says whether it is over, not the workspace.
 */
async function taken(
  where: LoopSession, request: StepRequest, tools: StepTools, variables: { readonly [name: string]: string | number },
): Promise<Results<'prepare'>> {
  const perform = <F extends 'prepare' | 'claim'>(name: F, more: { readonly [name: string]: string }, label?: string) =>
    inWorkspace(request, tools, name, LOOP_ERRORS.CHECKOUT_FAILED, { ...variables, ...more }, { unclaimed: true, label, first: label === undefined });
  try {
    return await perform('prepare', {});
  } catch (error) {
    if (!(error instanceof LoopError) || error.name !== LOOP_ERRORS.SESSION_BUSY) throw error;
  }
  for (let over = '', takeovers = 0; ; takeovers++) {
    const { holder, until } = await perform('claim', { WB_OVER: over }, `${takeovers}`);
    if (holder === undefined) return perform('prepare', {}, 'again');
    if (takeovers >= LOOP_LIMITS.takeovers || await holds(holder, until, where, request, tools)) throw busy(holder);
    over = holder;
  }
}

async function holds(
  holder: string, until: string | undefined, where: LoopSession, { execution, config }: StepRequest, tools: StepTools,
): Promise<boolean> {
  if (!config.shared) return isUnderWay(holder, where, execution, tools);
  // All that is known of another loop on the same file system is its run's deadline.
  return await isUnderWaySomewhere(holder, execution, tools) ?? (/^\d{1,12}$/.test(until ?? '') && Number(until) * 1_000 > tools.clock.now());
}

function busy(runId: string): LoopError {
  return new LoopError(LOOP_ERRORS.SESSION_BUSY, 'another run is using the workspace', runId);
}

export interface BootstrapRequest extends StepRequest {
  readonly commands: readonly string[];
  readonly timeoutSeconds: number;
}

/** Second step: runs the commands that make the workspace ready, in order, until one fails. */
export async function bootstrap(request: BootstrapRequest, tools: StepTools): Promise<LoopState> {
  const loop = settled(request.state.loop);
  const result = await repeatedIfLost((attempt) => runBootstrap(request, tools, { name: attempt === 0 ? 'bootstrap' : `bootstrap ${attempt}` }));
  if (result.status === STATUSES.RUNNING) {
    // The state machine has no loop around a bootstrap that fits into one call: the state's retry attaches.
    if (request.timeoutSeconds <= LOOP_LIMITS.oneCallSeconds) throw new SessionError(ERRORS.STREAM_CUT, 'the bootstrap takes longer than one call of the driver');
    return stillRunning(request, result);
  }
  if (result.verdict === VERDICTS.LOST) throw new LoopError(LOOP_ERRORS.LOST, `the bootstrap was lost ${LOOP_LIMITS.losses + 1} times (${result.lostReason})`);
  if (result.verdict !== VERDICTS.PASSED) {
    const name = result.verdict === VERDICTS.INERT ? LOOP_ERRORS.INERT : LOOP_ERRORS.BOOTSTRAP_FAILED;
    throw new LoopError(name, `${BOOTSTRAP_ENDED}${result.verdict}, exit code ${result.exitCode}; the whole output is in ${result.logPath}`, `\n${firstAndLast(result.tail)}`);
  }
  const { changed } = await inWorkspace(request, tools, 'bootstrapped', LOOP_ERRORS.BOOTSTRAP_FAILED, {});
  return { ...loop, ...defined({ putBack: brief(changed) }), next: NEXT.GO_ON };
}

/** Runs the bootstrap commands in the clone. */
export function runBootstrap(request: BootstrapRequest, tools: StepTools, how: Partial<StepJob> = {}): Promise<JobResult> {
  return runStepJob(request, tools, {
    name: 'bootstrap',
    // Each command has a shell of its own, so that its `cd` or `set` does not affect the next one.
    command: request.commands.map((command) => `(\n${command}\n)`).join('\n'),
    prologue: strictly(),
    timeoutSeconds: request.timeoutSeconds,
    tailBytes: LIMITS.tailBytes.max,
    ...how,
  });
}

/** Returns the beginning and the end of an output: what the command was doing, and why it failed. */
function firstAndLast(output: string): string {
  if (output.length <= 4_000) return output;
  const first = output.slice(0, 1_000);
  const last = output.slice(-3_000);
  return `${first.slice(0, first.lastIndexOf('\n') + 1) || first}[…]${last.slice(Math.max(0, last.indexOf('\n')))}`;
}
