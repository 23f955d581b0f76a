import { createHash } from 'crypto';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT } from './constants';
import { LoopError } from './errors';
import { Feedback, OnlyInWorkspace } from './records';
import { named } from './results';
import { LoopState } from './state';
import { repeatedIfLost, runStepJob, secondsLeftOf, settled, StepRequest, stillRunning, StepTools } from './step';
import { ERRORS, RECORDS_FOLDER, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { invokeAgent } from '../../jobs/invoke-agent';
import { quoteWord } from '../../private/quote';

export interface TurnRequest extends StepRequest {
  /** The command of an agent that is a program. By default the agent serves the runtime's invocations. */
  readonly command?: string;
  readonly timeoutSeconds: number;
  readonly taskToken?: string;
}

/** Performs one turn of the agent: the task, or a repair. */
export async function turn(request: TurnRequest, tools: StepTools): Promise<LoopState> {
  const { loop, run, prompt } = request.state;
  if (request.command !== undefined) return commandTurn(request, request.command, tools);
  const secondsLeft = Math.min(secondsLeftOf(run, tools), (tools.until - tools.clock.now()) / 1_000);
  await invokeAgent(tools.onceClient, {
    runtimeArn: request.runtimeArn,
    qualifier: run.session.endpointName,
    sessionId: run.session.id,
    answered: true, // the session has answered the first step
    timeoutSeconds: Math.max(1, Math.floor(Math.min(request.timeoutSeconds, secondsLeft))),
    payload: {
      prompt: promptOf(prompt, loop.feedback),
      taskId: run.taskId,
      round: loop.round,
      workspace: run.clone,
      ...(loop.feedback === undefined ? {} : { feedback: loop.feedback }),
      ...(request.taskToken === undefined ? {} : { taskToken: request.taskToken }),
    },
  });
  return { ...loop, next: NEXT.GO_ON };
}

/** Runs an agent that is a program. It receives the prompt as its standard input and in a file, never in its command line. */
async function commandTurn(request: TurnRequest, command: string, tools: StepTools): Promise<LoopState> {
  const { run, prompt } = request.state;
  const loop = settled(request.state.loop);
  const file = await putPrompt(request, tools, promptOf(prompt, loop.feedback));
  const result = await runStepJob(request, tools, {
    name: 'turn',
    command,
    timeoutSeconds: request.timeoutSeconds,
    input: file,
    environment: { WORKBENCH_PROMPT_FILE: file, WORKBENCH_TASK_ID: run.taskId, WORKBENCH_ROUND: String(loop.round) },
  });
  if (result.status === STATUSES.RUNNING) return stillRunning(request, result);
  switch (result.verdict) {
    case VERDICTS.PASSED:
      return { ...loop, next: NEXT.GO_ON };
    case VERDICTS.LOST:
      if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the agent's turn was lost ${loop.losses + 1} times`);
      return { ...loop, losses: loop.losses + 1, next: NEXT.RUNNING };
    case VERDICTS.INERT:
      throw new LoopError(LOOP_ERRORS.INERT, `the agent's command is not in the image (exit code ${result.exitCode})`, `\n${result.tail.slice(-2_000)}`);
    default:
      throw new LoopError(LOOP_ERRORS.TURN_FAILED, `${result.verdict}, exit code ${result.exitCode}; the whole output is in ${result.logPath}`, `\n${result.tail.slice(-4_000)}`);
  }
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

/** Returns the prompt of a turn: the task, and in a repair the feedback, for agents that read nothing but the prompt. */
export function promptOf(prompt: string, feedback: Feedback | undefined): string {
  if (feedback === undefined) return prompt;
  const { gate, command, verdict, exitCode, output, logPath, repair, maxRepairs } = feedback;
  const { unchanged, changedFiles, findings, cleanCheckout, onlyInWorkspace, protectedFiles, reason } = feedback;
  const results: { readonly [verdict: string]: string } = {
    TIMED_OUT: 'did not end within its time limit and was stopped',
    FAILED: `failed with exit code ${exitCode}`,
  };
  if (logPath === '') {
    return [
      prompt, '', '---',
      `Your change is not accepted yet: ${protectedFiles === undefined ? 'part of it cannot be committed' : 'it changes protected files'}.`
      + ` This is repair ${repair} of ${maxRepairs}.`,
      output, '---',
    ].join('\n');
  }
  return [
    prompt,
    '',
    '---',
    ...(cleanCheckout ? [
      'Your change passes all checks in your workspace, but not in a clean checkout: a fresh session has the committed files and what the bootstrap installs, and nothing else of your workspace.',
    ] : []),
    `${unchanged ? 'You have not changed anything that can be committed' : 'Your change is not accepted yet'}: the check "${gate}" ${results[verdict] ?? `ended with ${verdict}`}. This is repair ${repair} of ${maxRepairs}.`,
    ...(reason === undefined ? [] : [`The reason: ${reason}.`]),
    ...testLines(feedback),
    `The check runs: ${command.trim().replace(/\n/g, '\n  ')}`,
    ...(changedFiles === undefined ? [] : [
      'Files changed while it ran. A check must not change files (its changes are undone), and nothing else may write to them in the meantime:',
      ...changedFiles.map((file) => `  ${file}`),
    ]),
    ...(findings?.ignored === undefined ? [] : [`Ignored by .gitignore, so not in the commit, and not present while the check ran: ${named(findings.ignored).join(', ')}`]),
    ...(findings?.empty === undefined ? [] : [`Directories without a file, which git cannot hold and which were removed: ${named(findings.empty).join(', ')}`]),
    ...(findings?.putAway === undefined ? [] : [`Stashed, or committed elsewhere than on the current branch, so not in the files while the check ran: ${named(findings.putAway).join(', ')}`]),
    ...surplusLines(onlyInWorkspace),
    cleanCheckout ? 'The end of its output:' : `The end of its output (all of it is in ${logPath}):`,
    '',
    output,
    '---',
    cleanCheckout
      ? 'Make the committed files sufficient: declare each dependency, and commit each file that is needed. Do not weaken or remove the check.'
      : 'Fix the cause. Do not weaken or remove the check.',
  ].join('\n');
}

/** Returns what an agent is told about its workspace, which has more than a clean checkout. */
function surplusLines({ files, packages, programs }: OnlyInWorkspace = {}): string[] {
  const kinds = { 'files that git ignores': files, 'packages that the bootstrap does not install': packages, programs };
  const lines = Object.entries(kinds).flatMap(([kind, list]) => (list === undefined ? [] : [`  ${kind}: ${named(list).join(', ')}`]));
  return lines.length === 0 ? [] : ['Only in your workspace, and not in the clean checkout:', ...lines];
}

/** Returns what an agent is told about the tests of a check: names first. */
function testLines({ tests, failingTests = [] }: Feedback): string[] {
  if (tests === undefined) return [];
  const { ran, failed, knownFailures = 0, ranBefore } = tests;
  const known = knownFailures === 0 ? '' : `, ${knownFailures} of which also ${knownFailures === 1 ? 'fails without your change and comes' : 'fail without your change and come'} last`;
  return [
    ...(failed > 0 ? [`Failing tests (${failed} of ${ran}${known}):`, ...failingTests.map((name) => `  ${name}`)] : []),
    ...(failed > failingTests.length ? [`  (and ${failed - failingTests.length} more)`] : []),
    ...(ranBefore !== undefined && ran < ranBefore ? [`${ran} ${ran === 1 ? 'test' : 'tests'} ran, and ${ranBefore} ran without your change: do not remove or skip tests.`] : []),
  ];
}
