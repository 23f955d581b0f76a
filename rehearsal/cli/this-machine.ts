import { lookAt, takeIt } from './take-it';
import { isGood } from '../../src/journal/run-words';
import type { StoryPlace } from '../../src/journal/story';
import { LOOP_ERRORS } from '../../src/loop/steps/constants';
import type { RehearsalRecord } from '../run/record';

/** The words of the runner for a program that is not there. */
const NO_PROGRAM = 'or the directory of the turn is not there';

/** The place of a rehearsed run: its output and its commit are on this machine. */
export class ThisMachine implements StoryPlace<RehearsalRecord> {
  readonly logs = 'rehearse logs';
  readonly logsOfSession = true;

  /** @param hints what may be why a command does not find its program */
  constructor(private readonly hints: readonly string[] = []) {}

  explain(record: RehearsalRecord): string[] {
    const { session, error } = record;
    return [
      ...session && error?.message.includes('CloudWatch') ? [`in a rehearsal, "${this.logs} ${session.id}" shows what CloudWatch would`] : [],
      ...hasNoInterpreter(record)
        ? ['the first line of a script names an interpreter that does not exist; if the script has Windows line endings, remove them, as with sed -i \'s/\\r$//\' FILE'] : [],
      ...error?.name === LOOP_ERRORS.INERT && session?.sandbox.image === undefined && !hasNoInterpreter(record)
        ? ['a rehearsal without an image looks for programs on this machine\'s PATH, as the session has it, and did not find this one'] : [],
      ...error?.message.includes(NO_PROGRAM) && session?.sandbox.image === undefined
        ? ['a rehearsal without an image uses the program of this machine: install it, or correct PATH'] : [],
      ...isNotFound(record) ? this.hints : [],
    ];
  }

  take({ repository }: RehearsalRecord, branch: string): string[] {
    return [`show       ${lookAt(repository, branch)}`, `fetch      ${takeIt(repository, branch)}`];
  }
}

/** Determines whether a program that was not found is the interpreter of a script, in the words of bash. */
function hasNoInterpreter({ steps }: RehearsalRecord): boolean {
  return steps.some(({ exitCode, output = '', log = '' }) => NOT_FOUND.includes(exitCode ?? 127)
    && /cannot execute: required file not found|bad interpreter/.test(`${output}\n${log}`));
}

/** Exit codes of shells and interpreters that did not find the program or file to run. */
const NOT_FOUND = [2, 126, 127];

function isNotFound(record: RehearsalRecord): boolean {
  const { error, steps } = record;
  const [, code] = /exit code (\d+)/.exec(error?.message ?? '') ?? [];
  if (isGood(record)) return false;
  return error?.name === LOOP_ERRORS.INERT || NOT_FOUND.includes(Number(code)) || steps.some(({ exitCode }) => NOT_FOUND.includes(exitCode ?? 0));
}
