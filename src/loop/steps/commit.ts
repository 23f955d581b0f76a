import { mergesOf, rebased } from './branch';
import { inVerification, isLoss } from './clean-checkout';
import { GATE_VERDICTS, LOOP_ERRORS, LOOP_LIMITS, NEXT, PASSING } from './constants';
import { LoopError } from './errors';
import { changesSince } from './judge';
import { ProposalConfig } from './loop-config';
import { GateRecord } from './records';
import { isVerified } from './run-record';
import { LoopState, RunIdentity } from './state';
import { inWorkspace, StepRequest, StepTools } from './step';

export interface CommitRequest extends StepRequest {
  /** A template with `{taskId}`, `{prompt}` (its first line) and `{run}`. */
  readonly message: string;
  /** The gates that must have passed. */
  readonly gates: readonly string[];
  /** The pull request; missing if the run ends with a branch. */
  readonly proposal?: ProposalConfig;
}

/** Commits the recorded tree and pushes the commit, unless nothing changed. A repeated call makes the same commit and finds it at the remote. */
export async function commit(request: CommitRequest, tools: StepTools): Promise<LoopState> {
  const { loop } = request.state;
  const { push } = request.config;
  const green = request.gates.every((name) => loop.gates.some((record) => record.name === name && PASSING.includes(record.verdict)))
    && loop.gates.every(({ verdict }) => PASSING.includes(verdict));
  if (!green || loop.tree === undefined) throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'not all gates passed on the recorded tree, so nothing is committed');
  const late = await changesSince(request, tools, 'before the commit');
  if (late.changed.length > 0) {
    // No gate has judged these files: the tree that the gates saw is not complete.
    if (!push || loop.losses >= LOOP_LIMITS.losses) {
      throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'files were written after the gates had passed, so nothing is committed', late.changed.join(', ').slice(0, 2_000));
    }
    return { ...loop, losses: loop.losses + 1, next: NEXT.AGAIN };
  }
  if (loop.unchanged) return { ...loop, next: NEXT.NO_CHANGES };
  if (request.config.verification !== undefined && !isVerified(loop)) {
    throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'the change was not verified, so nothing is committed');
  }
  const { prompt, run } = request.state;
  const wanted = {
    WB_TREE: loop.tree,
    WB_BASE: loop.base,
    WB_MERGES: mergesOf(loop),
    WB_DATE: run.startedAt,
    WB_MESSAGE: messageOf(request.message, prompt, run, loop),
  };
  // The session of the verification has its own git, which the agent cannot change.
  const isElsewhere = push && isVerified(loop);
  const where = isElsewhere ? inVerification(request, loop.verification!.attempt) : request;
  let made;
  try {
    made = tools.publish !== undefined && push
      ? await tools.publish(where, tools, wanted)
      : await inWorkspace(where, tools, 'commit', LOOP_ERRORS.COMMIT_FAILED, { ...wanted, ...(isElsewhere ? { WB_ELSEWHERE: 'yes' } : {}) });
  } catch (error) {
    if (!isElsewhere || !isLoss(error) || loop.losses >= LOOP_LIMITS.losses) throw error;
    return { ...loop, losses: loop.losses + 1, verification: { attempt: loop.verification!.attempt, gates: [], isOver: true }, next: NEXT.AGAIN };
  }
  const { commit: id, pushed, found, rejected } = made;
  // The workspace continues from the commit. It makes the same one; if it cannot, it learns of it from the remote in its next run.
  if ((isElsewhere || tools.publish !== undefined) && pushed !== undefined && found === undefined) {
    await inWorkspace(request, tools, 'commit', LOOP_ERRORS.COMMIT_FAILED, { ...wanted, WB_PUSH: 'no', WB_ARRIVED: id }, { label: 'pushed' }).catch(() => undefined);
  }
  if (push && (pushed === undefined) === (rejected === undefined)) {
    throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'it is not known whether the commit was pushed');
  }
  const there = { commit: id, pushed: pushed !== undefined, ...(found === undefined ? {} : { found: true }) };
  const committed = { ...loop, ...there, next: NEXT.GO_ON };
  if (rejected === undefined) {
    const shown = await tools.present?.({ ...request, state: { ...request.state, loop: committed } }, request.proposal);
    return { ...committed, ...shown };
  }
  return rebased(request, tools, loop, id);
}

/** The part of the agent's summary that a commit has, in characters. */
const SUMMARY_LENGTH = 1_000;

/** Returns the agent's summary as it stands in the commit. The paragraph is never the last one, which has the trailers. */
function summaryOf({ agent }: LoopState): string[] {
  if (agent?.summary === undefined) return [];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only for an agent that reports; Jest cannot import() without ".ts"
  const { quoted } = require('./agent-words') as typeof import('./agent-words');
  return [`The agent says:\n${quoted(agent.summary, SUMMARY_LENGTH)}`];
}

/** Returns the commit's message: a subject, what the agent says, and trailers that name the task, the run and the gates that passed. */
export function messageOf(template: string, prompt: string, run: RunIdentity, loop: LoopState): string {
  const trailers = [
    `Workbench-Task: ${run.taskId}`,
    `Workbench-Run: ${run.id}`,
    ...loop.gates.map((gate) => trailerOf(gate, loop)),
  ];
  const message = [filled(template, prompt, run) || run.taskId, ...summaryOf(loop), trailers.join('\n')].join('\n\n');
  // Git takes a message with one of these for Latin-1, and converts it: the commit would not be the one that was computed.
  return `${message.replace(/\p{Noncharacter_Code_Point}/gu, '')}\n`;
}

/** Returns a template with its values. */
export function filled(template: string, prompt: string, run: RunIdentity): string {
  const firstLine = prompt.split(/\r?\n/).map(printable).find((line) => line !== '') ?? '';
  const values: { readonly [name: string]: string } = { taskId: run.taskId, prompt: shortened(firstLine, 72), run: run.id };
  return template.replace(/\{(taskId|prompt|run)\}/g, (_, name: string) => values[name]).trim();
}

/** Returns the trailer for a gate. A gate is flaky if it was in either session. */
function trailerOf({ name, verdict, seconds, knownFailure }: GateRecord, { verification }: LoopState): string {
  const isFlaky = verification?.gates.some((gate) => gate.name === name && gate.verdict === GATE_VERDICTS.FLAKY);
  const known = knownFailure ? ' except for known failures' : '';
  return `Workbench-Gate: ${printable(name)} ${isFlaky ? GATE_VERDICTS.FLAKY : verdict}${known} in ${seconds} s`;
}

/** Returns text without control characters, which could end a line, hide text or break a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Noncharacter_Code_Point}\u2028\u2029]+/gu, ' ').trim();
}

function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('').trimEnd()}…`;
}
