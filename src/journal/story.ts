import { stripVTControlCharacters } from 'node:util';
import { describeAgentStart } from './agent-start';
import type { ForgeDescription } from './forge-description';
import { checksInWords, extrasOf, pullRequestInWords } from './forge-words';
import type { JournalListener } from './journal';
import { LEFT } from './notes';
import { Repeated } from './repeated';
import type { RepositoryDescription, RunCommitDescription, RunDescription } from './run-description';
import { endOf, errorOf, isGood, meaningOf, messageOf } from './run-words';
import type { Step, StepRetry } from './step';
import type { Terminal } from './terminal';
import { counted } from '../handler/counted';
import type { AgentRecord } from '../loop/steps/agent-record';
import { agentInWords } from '../loop/steps/agent-words';
import { NEXT, PASSING } from '../loop/steps/constants';
import type { BranchMove } from '../loop/steps/records';

/** Lines of a failing gate's output that the story tells. */
const QUOTED_LINES = 14;
/** Lines of an agent's output that are shown, from its end. */
const AGENT_LINES = 5;
/** Failed tests of a gate that are named. */
const NAMED_TESTS = 10;
/** Lines of a failed bootstrap's output that are shown from its start, in addition to those from its end. */
const FIRST_LINES = 6;
/** Lines of a running command's output that are shown on a terminal. */
const LIVE_LINES = 6;
const NAME_WIDTH = 34;

/** The place where a run's output and its commit are: this machine for a rehearsed run, the account and the remote for another one. */
export interface StoryPlace<R extends RunDescription = RunDescription> {
  /** The command that prints all output of a run, such as `rehearse logs`. */
  readonly logs: string;
  /** Determines whether that command takes the ID of a session, rather than the name of a run. */
  readonly logsOfSession: boolean;
  /** Explains an error, a sentence for each line, beyond what holds for any run. */
  explain(record: R): readonly string[];
  /** Returns the lines that say how to see and how to fetch the run's commit. */
  take(record: R, branch: string): readonly string[];
}

/** Tells a run as it happens: each state with its time, what the gates say, and at last what came of it. */
export class Story<R extends RunDescription = RunDescription> implements JournalListener {
  private toldLeft = false;
  private readonly retried = new Repeated();
  private readonly entered = new WeakMap<Step, { readonly at: number; readonly output: () => string }>();

  constructor(private readonly terminal: Terminal, private readonly place: StoryPlace<R>) {}

  begins(step: Step, output = () => ''): void {
    this.entered.set(step, { at: Date.now(), output });
    this.watch(step);
  }

  /** On a terminal, with the end of what the step's command has printed so far. */
  private watch(step: Step): void {
    const { at, output } = this.entered.get(step) ?? { at: Date.now(), output: () => '' };
    const limit = step.limitSeconds === undefined ? '' : `, at most ${inWords(step.limitSeconds)}`;
    this.terminal.watch(() => [
      this.row(step, `${seconds(Date.now() - at)} …${limit}`),
      ...[this.retried.again ?? []].flat().map((again) => `${INDENT}${this.terminal.dim(again)}`),
      ...lastLines(output()).map((line) => `${INDENT}${this.terminal.dim(`│ ${line}`)}`),
    ]);
  }

  retries(step: Step, { by, error }: StepRetry): void {
    const { terminal } = this;
    const [reason] = error.message.trim().split('\n');
    const what = by === 'driver' ? 'retried' : 'retried by Step Functions';
    const words = `${step.state}: ${what} after ${[error.name, reason].filter((part) => part !== '').join(': ').slice(0, 160)}`;
    const before = this.retried.again;
    if (!this.retried.isNew(words)) return;
    if (before !== undefined) terminal.line(`${INDENT}${terminal.dim(before)}`);
    terminal.line(`${INDENT}${terminal.dim(words)}`);
    this.watch(step);
  }

  ends(step: Step): void {
    const { terminal } = this;
    const again = this.retried.end();
    if (again !== undefined) terminal.line(`${INDENT}${terminal.dim(again)}`);
    terminal.line(this.row(step, [seconds(step.duration), this.verdict(step)].join('  ').trimEnd()));
    const { log = '' } = step;
    this.agentLines(log, step.error !== undefined).forEach((line) => terminal.line(`${INDENT}${terminal.dim(`agent: ${line}`)}`));
    // A verification runs several gates: its notes say which one the output is of.
    if (step.kind === 'verify') this.notes(step);
    if ((step.kind === 'gate' || step.kind === 'verify') && !PASSING.includes(step.verdict ?? '') && step.output !== undefined) this.quote(step);
    if (step.changedFiles?.length) terminal.line(`${INDENT}files changed while it ran, which is not allowed: ${onOneLine(step.changedFiles.join(', '))}`);
    if (step.branchMove) terminal.line(`${INDENT}${moved(step.branchMove)}`);
    if (step.kind !== 'verify') this.notes(step);
    if (step.error) terminal.line(`${INDENT}${terminal.red(step.error.name)}${errorOf(step)!.slice(step.error.name.length).split('\n').join(`\n${INDENT}`)}`);
    if (step.kind === 'bootstrap' && step.error) firstAndLast(step.output ?? '', this.place.logs).forEach((line) => terminal.line(`${INDENT}${terminal.dim('│')} ${line}`));
    if (step.next === NEXT.REPAIR && step.feedback) {
      terminal.line(`${INDENT}→ repair ${step.feedback.repair} of ${step.feedback.maxRepairs}: the agent gets this output with its prompt`);
    }
    if (step.next === NEXT.RED) terminal.line(`${INDENT}→ no repairs are left`);
    if (step.next === NEXT.STUCK) terminal.line(`${INDENT}→ the same result as in the previous round: the agent is stuck`);
  }

  private notes({ notes = [] }: Step): void {
    notes.forEach((note) => this.note(note));
  }

  /** Most gates leave the same each time, such as compiled files: it is said once, with what to do. */
  private note(note: string): void {
    const isLeft = note.startsWith(LEFT);
    if (isLeft && this.toldLeft) return;
    this.toldLeft ||= isLeft;
    this.terminal.line(`${INDENT}${onOneLine(note)}${isLeft ? ' (reported once: add files that each run generates to .gitignore)' : ''}`);
  }

  /** @param report the place of the report, if there is one */
  ended(record: R, report?: string): void {
    const { terminal, place } = this;
    terminal.line();
    terminal.line(`${(isGood(record) ? terminal.green : terminal.red)(terminal.bold(record.outcome))} ${endOf(record)}`);
    if (record.error) terminal.line(`  ${messageOf(record).trim().split('\n').join('\n  ')}`);
    meaningOf(record).forEach((sentence) => terminal.line(`  ${onOneLine(sentence)}`));
    if (record.agentStart) describeAgentStart(record.agentStart).forEach((line) => terminal.line(`  ${line}`));
    place.explain(record).forEach((line) => terminal.line(`  ${line}`));
    if (record.output?.agent) this.agent(record.output.agent, record.commit?.message !== undefined);
    if (record.commit) this.commit(record, record.commit);
    for (const { role, action, statement } of record.missingPermissions ?? []) {
      terminal.line(`${terminal.red('missing permission')}: role ${role} may not ${action}; this statement would allow it:`);
      terminal.line(`  ${statement}`);
    }
    const uncommittedFiles = record.repository?.uncommittedFiles ?? 0;
    if (uncommittedFiles + record.warnings.length > 0) terminal.line();
    if (uncommittedFiles > 0) terminal.line(`warning: the run did not see ${counted(uncommittedFiles, 'uncommitted file')}${namesOf(record.repository!)}`);
    record.warnings.forEach((warning) => terminal.line(`warning: ${warning}`));
    terminal.line();
    if (record.session) terminal.line(`session    ${record.session.id}`);
    if (record.session && record.error && place.logsOfSession) terminal.line(`           "${place.logs}" with this ID shows all of its output`);
    if (report !== undefined) terminal.line(`report     ${report}`);
  }

  /** The message of a commit has the summary, too. */
  private agent(agent: AgentRecord, isCommitted: boolean): void {
    this.terminal.line();
    this.terminal.line(`agent ${onOneLine(agentInWords(agent))}`);
    if (!isCommitted) (agent.summary ?? '').split('\n').filter((line) => line !== '').forEach((line) => this.terminal.line(`    ${onOneLine(line)}`));
  }

  private commit(record: R, commit: RunCommitDescription): void {
    const { terminal } = this;
    const { message, stat, commits = [] } = commit;
    const { pullRequest } = record.output ?? {};
    terminal.line();
    terminal.line(`commit ${commit.id.slice(0, 12)} on ${terminal.bold(commit.branch)}`);
    if (record.output?.commit?.found) terminal.line('    the branch already had the same files, in this commit, which the run did not make');
    for (const line of message?.split('\n') ?? []) terminal.line(`    ${line}`.trimEnd());
    if (stat !== undefined) terminal.line();
    stat?.split('\n').forEach((line) => terminal.line(`   ${line}`));
    if (commits.length > 1) {
      terminal.line();
      const { ref = 'the repository', base = '' } = record.output?.upstream ?? {};
      terminal.line(`the branch has ${commits.length} commits on top of ${ref} at ${base.slice(0, 12)}:`);
      commits.forEach(({ id, subject }) => terminal.line(`    ${id} ${onOneLine(subject)}`));
    }
    if (record.forge) this.forge(record.forge);
    else if (pullRequest) terminal.line(`pull request #${pullRequest.number}: ${pullRequest.url}`);
    terminal.line();
    this.place.take(record, commit.branch).forEach((line) => terminal.line(line));
  }

  private forge(forge: ForgeDescription): void {
    const { terminal } = this;
    const { pullRequest, comments } = forge;
    if (pullRequest) {
      terminal.line();
      terminal.line(`${pullRequestInWords(pullRequest)}: ${terminal.bold(onOneLine(pullRequest.title))}`);
      extrasOf(pullRequest).forEach((line) => terminal.line(`    ${line}`));
    }
    checksInWords(forge).forEach((line) => terminal.line(`    ${onOneLine(line)}`));
    comments.forEach(({ issue, body }) => terminal.line(`    comment on #${issue}: ${onOneLine(body.trim().split('\n')[0])}`));
  }

  private quote({ output = '', failingTests = [] }: Step): void {
    if (failingTests.length > 0) this.terminal.line(`${INDENT}${failingTests.length === 1 ? '1 test fails' : `${failingTests.length} tests fail`}:`);
    for (const name of failingTests.slice(0, NAMED_TESTS)) this.terminal.line(`${INDENT}${this.terminal.red('✖')} ${onOneLine(name).slice(0, 160)}`);
    if (failingTests.length > NAMED_TESTS) this.terminal.line(`${INDENT}… and ${failingTests.length - NAMED_TESTS} more`);
    for (const line of tellingLines(output)) this.terminal.line(`${INDENT}${this.terminal.dim('│')} ${line}`);
  }

  /** The end of what an agent printed, with a mark where lines are left out. */
  private agentLines(log: string, failed: boolean): string[] {
    if (log === '') return [];
    const lines = log.split('\n');
    const told = failed ? tellingLines(log) : lines.slice(-AGENT_LINES);
    const before = lines.filter((line) => line.trim() !== '').length - told.filter((line) => line.trim() !== '').length;
    return before > 0 ? [`… ${counted(before, 'more line')} in "${this.place.logs}" …`, ...told] : told;
  }

  private row(step: Step, rest: string): string {
    const name = step.kind === 'turn' ? `${step.state} (turn ${step.round + 1})` : step.state;
    return `${this.terminal.dim(`${(step.begin / 1_000).toFixed(1).padStart(6)} s`)}  ${name.padEnd(NAME_WIDTH)} ${rest}`;
  }

  private verdict({ verdict, exitCode }: Step): string {
    if (verdict === undefined) return '';
    if (PASSING.includes(verdict)) return this.terminal.green(verdict);
    return this.terminal.red(exitCode === undefined || exitCode === null ? verdict : `${verdict}, exit code ${exitCode}`);
  }
}

function namesOf({ uncommittedFiles = 0, uncommittedNames = [] }: RepositoryDescription): string {
  if (uncommittedNames.length === 0) return '';
  const more = uncommittedFiles - uncommittedNames.length;
  return `: ${uncommittedNames.map(onOneLine).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const INDENT = ' '.repeat(10);

function moved({ from, to }: BranchMove): string {
  const at = (commit: string | undefined) => commit?.slice(0, 12) ?? 'not there';
  return `someone else moved the branch at the remote: it was ${from === undefined ? '' : 'at '}${at(from)}, and is now ${to === undefined ? '' : 'at '}${at(to)}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`.padStart(8);
}

/** `90 s`, `15 min`, `8 h`. */
function inWords(all: number): string {
  return all % 3_600 === 0 ? `${all / 3_600} h` : all % 60 === 0 ? `${all / 60} min` : `${all} s`;
}

/** The last lines of a running command's output. */
function lastLines(output: string): string[] {
  return output.split('\n').map((line) => onOneLine(line.split('\r').pop()!)).filter((line) => line.trim() !== '').slice(-LIVE_LINES);
}

/** Returns text of a run, such as the name of a file, on one line and without what a terminal acts on. */
export function onOneLine(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '?');
}

/** The first lines of an output, which say what it was about to do, and the last, which say why it did not. */
export function firstAndLast(output: string, logs: string): string[] {
  const lines = stripVTControlCharacters(output).split('\n').map((line) => line.trimEnd().slice(0, 160)).filter((line) => line !== '');
  const between = lines.length - FIRST_LINES - QUOTED_LINES;
  if (between <= 1) return lines;
  return [...lines.slice(0, FIRST_LINES), `… ${between} more lines, all in "${logs}" …`, ...lines.slice(-QUOTED_LINES)];
}

/** Lines that a reader skips: empty lines, frames of a stack, notices of npm, and the counts of `node --test`, which repeat what is above them. */
const SKIPPED = /^\s*$|^\s+at |^npm |^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** Messages that name something missing, such as a dependency that is not declared. */
const MISSING = /cannot find (?:module|package)|no module named|no required module provides|unresolved import|command not found/i;

/** Returns the end of an output without lines that a reader skips, after a line above it that names something missing. */
export function tellingLines(output: string): string[] {
  const lines = stripVTControlCharacters(output).split('\n').map((line) => line.trimEnd()).filter((line) => !SKIPPED.test(line));
  const end = lines.slice(-QUOTED_LINES);
  const failure = end.findIndex((line) => MISSING.test(line) || (/fail|error|✖|not ok|panic|expected/i.test(line) && !/\b(?:fail|failures?|errors?):? 0\b/i.test(line)));
  const told = end.slice(Math.max(0, failure));
  const missing = told.some((line) => MISSING.test(line)) ? undefined : lines.find((line) => MISSING.test(line));
  return [...missing === undefined ? [] : [missing, '…'], ...told].map((line) => line.slice(0, 160));
}
