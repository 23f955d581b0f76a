import { createHash } from 'crypto';
import { afterFailure } from './after-failure';
import { baggageOf } from './baggage';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT } from './constants';
import { LoopError } from './errors';
import { Feedback } from './records';
import { LoopState } from './state';
import { repeatedIfLost, runStepJob, secondsLeftOf, settled, StepRequest, stillRunning, StepTools } from './step';
import { RUNNER_VARIABLES } from '../../agent/constants';
import { ERRORS, LIMITS, RECORDS_FOLDER, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { invokeAgent } from '../../jobs/invoke-agent';
import { quoteWord } from '../../private/quote';

export interface TurnRequest extends StepRequest {
  /** The command of an agent that is a program. By default the agent serves the runtime's invocations. */
  readonly command?: string;
  /** True if the command is one that reports its turn. */
  readonly agent?: boolean;
  /** The loop's instructions for such an agent. */
  readonly instructions?: string;
  readonly timeoutSeconds: number;
  readonly taskToken?: string;
}

/** Performs one turn of the agent: the task, or a repair. */
export async function turn(request: TurnRequest, tools: StepTools): Promise<LoopState> {
  const { loop, run, prompt } = request.state;
  if (request.command !== undefined) return commandTurn(request, request.command, tools);
  const secondsLeft = Math.min(request.timeoutSeconds, secondsLeftOf(run, tools), (tools.until - tools.clock.now()) / 1_000);
  const { turnSeconds = Infinity } = tools;
  await invokeAgent(tools.onceClient, {
    runtimeArn: request.runtimeArn,
    qualifier: run.session.endpointName,
    sessionId: run.session.id,
    baggage: baggageOf(request.state),
    answered: true, // the session has answered the first step
    timeoutSeconds: Math.max(1, Math.floor(Math.min(secondsLeft, turnSeconds))),
    payload: {
      prompt: promptOf(prompt, loop.feedback),
      taskId: run.taskId,
      round: loop.round,
      workspace: run.clone,
      ...(loop.feedback === undefined ? {} : { feedback: loop.feedback }),
      ...(request.taskToken === undefined ? {} : { taskToken: request.taskToken }),
    },
  }).catch((error: Error) => {
    throw error.name === ERRORS.INVOKE_TIMEOUT && turnSeconds <= secondsLeft ? cutOff(tools) : error;
  });
  return { ...loop, next: NEXT.GO_ON };
}

/** Runs an agent that is a program. It receives the prompt as its standard input and in a file, never in its command line. */
async function commandTurn(request: TurnRequest, command: string, tools: StepTools): Promise<LoopState> {
  const { run, prompt } = request.state;
  const loop = settled(request.state.loop);
  const file = await putPrompt(request, tools, promptOf(prompt, loop.feedback));
  const timeoutSeconds = Math.min(request.timeoutSeconds, tools.turnSeconds ?? Infinity);
  const { agent, instructions } = request;
  const result = await runStepJob(request, tools, {
    name: 'turn',
    command,
    timeoutSeconds,
    input: file,
    environment: {
      [RUNNER_VARIABLES.PROMPT_FILE]: file,
      [RUNNER_VARIABLES.TASK_ID]: run.taskId,
      [RUNNER_VARIABLES.ROUND]: String(loop.round),
      [RUNNER_VARIABLES.RUN]: run.id,
      ...(instructions === undefined ? {} : { [RUNNER_VARIABLES.INSTRUCTIONS]: instructions }),
    },
    ...(agent ? { tailBytes: LIMITS.tailBytes.max } : {}),
  });
  if (result.status === STATUSES.RUNNING) return stillRunning(request, result);
  if (result.verdict === VERDICTS.LOST) {
    if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the agent's turn was lost ${loop.losses + 1} times`);
    return { ...(agent ? reports().afterLoss(loop) : loop), losses: loop.losses + 1, next: NEXT.RUNNING };
  }
  const isCutOff = result.verdict === VERDICTS.TIMED_OUT && tools.turnLimit !== undefined && tools.clock.now() < run.deadline * 1_000
    && (request.state.loop.previous?.timeoutSeconds ?? timeoutSeconds) < request.timeoutSeconds;
  if (agent && result.verdict !== VERDICTS.INERT) {
    const after = reports().afterTurn(loop, result);
    return isCutOff ? { ...after, next: NEXT.NO_WORK, agentError: { name: LOOP_ERRORS.OVER_BUDGET, message: cutOff(tools).message } } : after;
  }
  if (isCutOff) throw cutOff(tools);
  switch (result.verdict) {
    case VERDICTS.PASSED:
      return { ...loop, next: NEXT.GO_ON };
    case VERDICTS.INERT:
      throw new LoopError(LOOP_ERRORS.INERT, `the agent's command is not in the image (exit code ${result.exitCode})`, `\n${result.tail.slice(-2_000)}`);
    default:
      throw new LoopError(LOOP_ERRORS.TURN_FAILED, `${result.verdict}, exit code ${result.exitCode}; the whole output is in ${result.logPath}`, `\n${result.tail.slice(-4_000)}`);
  }
}

/** Returns the error of a turn that the budget ended. */
function cutOff({ turnLimit }: StepTools): LoopError {
  return new LoopError(LOOP_ERRORS.OVER_BUDGET, `the turn was stopped, because the budget of the run was used up: ${turnLimit}`);
}

function reports() {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only for an agent that reports; Jest cannot import() without ".ts"
  return require('./agent-report') as typeof import('./agent-report');
}

/** Returns the prompt of a turn: the task, and in a repair the feedback, for agents that read nothing but the prompt. */
function promptOf(prompt: string, feedback: Feedback | undefined): string {
  if (feedback === undefined) return prompt;
  return afterFailure().repairPrompt(prompt, feedback);
}

/** The number of bytes that fit into one command: base64 turns three into four, and a command has 32 KiB. */
const PIECE = 22_500;

export function piecesOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.max(1, Math.ceil(bytes.length / PIECE)) }, (_, index) => bytes.subarray(index * PIECE, (index + 1) * PIECE));
}

/** Writes the prompt into the session, in pieces, each of which is safe to send again. */
async function putPrompt(request: TurnRequest, tools: StepTools, text: string): Promise<string> {
  const { run, loop } = request.state;
  const bytes = Buffer.from(text);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const file = `${run.mount}/${RECORDS_FOLDER}/prompts/${run.id}-${loop.round}.md`;
  const pieces = piecesOf(bytes);
  for (const [index, piece] of pieces.entries()) {
    const last = index === pieces.length - 1;
    const parts = pieces.map((_, part) => quoteWord(`${file}.${part}`)).join(' ');
    const result = await repeatedIfLost((attempt) => runStepJob(request, tools, {
      name: attempt === 0 ? `prompt ${index}` : `prompt ${index} ${attempt}`,
      timeoutSeconds: 60,
      command: [
        'set -e',
        `mkdir -p ${quoteWord(file.slice(0, file.lastIndexOf('/')))}`,
        `base64 -d <<<${quoteWord(piece.toString('base64'))} > ${quoteWord(`${file}.${index}`)}`,
        // The pieces stay until the digest is printed, so that the last step is safe to repeat.
        ...(last ? [`cat ${parts} > ${quoteWord(file)}`, `sha256sum ${quoteWord(file)}`, `rm ${parts}`] : []),
      ].join('\n'),
    }));
    if (result.status === STATUSES.RUNNING) throw new SessionError(ERRORS.STREAM_CUT, 'writing the prompt takes longer than one call of the driver');
    if (result.verdict !== VERDICTS.PASSED || (last && !result.tail.includes(digest))) {
      throw new LoopError(LOOP_ERRORS.TURN_FAILED, `cannot write the prompt to ${file}: ${result.verdict}`, result.tail.slice(-500));
    }
  }
  return file;
}
