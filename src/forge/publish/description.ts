import { counted } from '../../handler/counted';
import { agentName, numbersOf, quoted } from '../../loop/steps/agent-words';
import { GateRecord } from '../../loop/steps/records';
import { named, NameList } from '../../loop/steps/results';
import { safeName } from '../../loop/steps/run-files';
import { isVerified } from '../../loop/steps/run-record';
import { StepRequest } from '../../loop/steps/step';
import { ARTIFACTS } from '../../operate/constants';

/** The part of a prompt that a description shows, in characters. */
const PROMPT_LENGTH = 4_000;

/** The part of the agent's summary that a description shows, in characters. */
const SUMMARY_LENGTH = 2_000;

/** The facts of a run that are in no record. */
export interface RunFacts {
  /** Text of the user's above the report, in Markdown. */
  readonly body?: string;
  /** The files of the change; undefined if that is not known. */
  readonly changed?: NameList;
  /** The duration of the run so far, in seconds. */
  readonly seconds: number;
}

type Loop = StepRequest['state']['loop'];

/**
 * Returns the description of a pull request, in Markdown: the report of the run. Text of others is in code, so that it cannot format, mention or
 * link.
 */
export function descriptionOf({ execution, config, state: { prompt, run, loop } }: StepRequest, { body, changed, seconds }: RunFacts): string {
  const verified = isVerified(loop);
  const sections = [
    body,
    filesOf('Protected files that the change touches', loop.protectedFiles),
    filesOf('Files that judge the change: review these first', loop.judgingFiles),
    `### Task\n\n${fenced(prompt.length > PROMPT_LENGTH ? `${prompt.slice(0, PROMPT_LENGTH)}…` : prompt)}`,
    filesOf('Changed files', changed),
    summaryOf(loop),
    `### Gates\n\n${gateTable(loop, verified)}${verified ? '' : '\n\nThe change was not verified in a clean checkout.'}`,
    findingsOf(loop),
    [
      `${counted(loop.round + 1, 'turn')}, ${minutes(seconds)}.`,
      ...(loop.agent === undefined ? [] : [`${agentLine(loop.agent)}.`]),
      `Run ${code(run.id)} of the loop ${code(config.name)}: [execution](${consoleUrlOf(execution)}),${reportLink(execution, config)} session ${code(run.session.id)}.`,
      ...(run.issue === undefined ? [] : [`For #${run.issue}.`]),
      'To try the change: check out the branch, and run the commands of the gates.',
    ].join(' '),
  ];
  return sections.filter((section) => section !== undefined).join('\n\n');
}

/** Returns what the agent says. The text is inert even outside of its block: forges offer a description as the message of a merge. */
function summaryOf({ agent }: Loop): string | undefined {
  return agent?.summary === undefined ? undefined : `### What the agent says\n\n${fenced(quoted(agent.summary, SUMMARY_LENGTH))}`;
}

/** Returns the numbers of an agent, with its name as code. */
export function agentLine(agent: NonNullable<Loop['agent']>): string {
  const numbers = numbersOf(agent);
  return `${code(agentName(agent))}${numbers === '' ? '' : `: ${numbers}`}`;
}

/** Returns a table of the gates with their verdicts in the agent's session and in the clean checkout. */
function gateTable({ gates, verification }: Loop, verified: boolean): string {
  const there = (name: string) => verification?.gates.find((gate) => gate.name === name);
  const header = verified ? '| gate | agent\'s session | clean checkout | tests |\n|---|---|---|---|' : '| gate | agent\'s session | tests |\n|---|---|---|';
  const rows = gates.map((gate) => {
    const other = there(gate.name);
    return `| ${[code(gate.name), verdictOf(gate), ...verified ? [other === undefined ? '' : verdictOf(other)] : [], testsOf(other ?? gate)].join(' | ')} |`;
  });
  return [header, ...rows].join('\n');
}

/** Returns the verdict of a gate in a few words. */
export function verdictOf({ verdict, seconds, knownFailure, greenBefore }: GateRecord): string {
  return [
    `${verdict} in ${seconds} s`,
    ...knownFailure === true ? ['fails as on the base'] : [],
    ...greenBefore === true ? ['passed before the change, too'] : [],
  ].join(', ');
}

/** Returns the numbers of tests of a gate with a report. */
export function testsOf({ tests }: Pick<GateRecord, 'tests'>): string {
  if (tests === undefined) return '';
  const { ran, failed, skipped, ranBefore } = tests;
  const less = ranBefore !== undefined && ran < ranBefore ? `, ${ranBefore} on the base` : '';
  return `${counted(ran, 'test')}${less}, ${failed} failed, ${skipped} skipped`;
}

function filesOf(title: string, list: NameList | undefined): string | undefined {
  if (list === undefined || list.count === 0) return undefined;
  const rest = list.count - list.names.length;
  return `### ${title}\n\n${[...list.names.map((name) => `- ${code(name)}`), ...rest > 0 ? [`- and ${rest} more`] : []].join('\n')}`;
}

function findingsOf({ findings, leftOut, putBack }: Loop): string | undefined {
  const lists: readonly (readonly [string, NameList | undefined])[] = [
    ['new files that git ignores', findings?.ignored], ['empty directories', findings?.empty],
    ['symbolic links that point out of the clone', findings?.links], ['stashed, or committed elsewhere than on the branch', findings?.putAway],
    ['files of tools and linked worktrees', leftOut], ['changed by the bootstrap, and restored', putBack],
  ];
  const lines = lists.filter(([, list]) => list !== undefined && list.count > 0).map(([title, list]) => `- ${title}: ${named(list!).map(code).join(', ')}`);
  return lines.length === 0 ? undefined : `### Not in the commit\n\n${lines.join('\n')}`;
}

function minutes(seconds: number): string {
  return seconds < 120 ? counted(Math.round(seconds), 'second') : `${Math.round(seconds / 60)} minutes`;
}

/** Returns text of others as it is, on one line. */
export function code(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  // A pipe would end a cell of a table, and GitHub links mentions in code elements that are written as HTML.
  const ticks = '`'.repeat(longestOf(/`+/g, line) + 1);
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${space}${line.replace(/\|/g, '\\|')}${space}${ticks}`;
}

/** Returns text of others as it is, on its own lines. */
export function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestOf(/`+/g, text) + 1));
  return `${fence}text\n${text.trimEnd()}\n${fence}`;
}

function longestOf(pattern: RegExp, text: string): number {
  return Math.max(0, ...[...text.matchAll(pattern)].map(([match]) => match.length));
}

const CONSOLES: { readonly [partition: string]: string } = { 'aws-cn': 'console.amazonaws.cn', 'aws-us-gov': 'console.amazonaws-us-gov.com' };

/** Returns the page of an execution in the AWS console. */
export function consoleUrlOf(execution: string): string {
  const { host, region } = consoleOf(execution);
  return `https://${host}/states/home?region=${region}#/v2/executions/details/${execution}`;
}

/** Returns a link to the report of a run in the AWS console, with the text around it. Empty if the loop has no artifacts. */
function reportLink(execution: string, { operate }: StepRequest['config']): string {
  if (operate?.artifacts === undefined) return '';
  const { bucket, prefix } = operate.artifacts;
  const { host, region } = consoleOf(execution);
  const key = `${prefix}${safeName(execution.split(':').pop()!)}/${ARTIFACTS.REPORT}`;
  return ` [report](https://${host}/s3/object/${bucket}?region=${region}&prefix=${encodeURIComponent(key).replace(/[()]/g, (character) => character === '(' ? '%28' : '%29')}),`;
}

function consoleOf(execution: string): { readonly host: string; readonly region: string } {
  const [, partition = 'aws', , region = ''] = execution.split(':');
  return { host: CONSOLES[partition] ?? `${region}.console.aws.amazon.com`, region };
}
