import { stripVTControlCharacters } from 'node:util';
import type { Account } from './account';
import { Artifacts } from './artifacts';
import type { Executions } from './executions';
import { asItRan, FoundRun } from './find-run';
import { follow } from './follow';
import type { AccountOptions } from './options';
import { EXIT } from '../../src/journal/exit-codes';
import type { RunDescription } from '../../src/journal/run-description';
import type { Step } from '../../src/journal/step';
import { safeName } from '../../src/loop/steps/run-files';
import { MisuseError } from '../common/misuse';

/** The output of one command, or of a turn of the agent. */
interface Log {
  readonly name: string;
  readonly text: string;
}

const LOG = /\.log$/;

/** Prints what the agent, the bootstrap and the gates of a run have printed. */
export async function logs(
  account: Account, executions: Executions, found: FoundRun, { step, gate, json }: AccountOptions, print: (line: string) => void,
): Promise<number> {
  const run = await asItRan(executions, found);
  const artifacts = Artifacts.of(account, run);
  const files = (await artifacts?.list() ?? []).filter(({ name }) => LOG.test(name));
  const isOf = (name: string) => isChosen(name, { step, gate }, run.loop.gates.map((each) => each.name));
  const kept: Log[] = [];
  for (const { name } of files.filter((file) => isOf(file.name))) kept.push({ name, text: await artifacts!.text(name) ?? '' });
  // Without a bucket, Step Functions has the end of what failed.
  const told = files.length > 0 ? kept : logsOf((await follow(account, executions, run, { toEnd: false }))!).filter(({ name }) => isOf(name));
  if (told.length === 0 && (step ?? gate) !== undefined) {
    throw new MisuseError(`there is no output of ${gate === undefined ? `"${step}"` : `the gate "${gate}"`} in the run ${run.execution.name}${files.length === 0 ? '' : `; it has ${files.map(({ name }) => name).join(', ')}`}`);
  }
  if (json) print(JSON.stringify(told, undefined, 2));
  else told.forEach(({ name, text }) => print(`== ${name}\n${text === '' ? '(no output)' : forTerminal(text.replace(/\n$/, ''))}\n`));
  if (!json && files.length === 0) print(whereTheRestIs(run, told.length, artifacts?.url));
  return EXIT.COMMITTED;
}

/** Removes what a terminal acts on, such as a title or a link: the code under test prints whatever it likes. */
function forTerminal(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, '');
}

/** Returns the outputs that the states of a run have. */
function logsOf({ steps }: RunDescription): Log[] {
  const nameOf = ({ state, round, kind }: Step) => kind === 'turn' || kind === 'gate' ? `${state} (turn ${round + 1})` : state;
  return steps.flatMap((step) => [step.log, step.output].filter((text) => text !== undefined && text !== '').map((text) => ({ name: nameOf(step), text: text! })));
}

/** Determines whether a log is of the step and of the gate that are asked for. @param gates the names of all gates of the loop */
export function isChosen(name: string, { step, gate }: Pick<AccountOptions, 'step' | 'gate'>, gates: readonly string[]): boolean {
  const isOfGate = gate === undefined || isLogOf(name, gate, gates) || name.replace(/ \(turn \d+\)$/, '').endsWith(`: ${gate}`);
  return isOfGate && (step === undefined || name.toLowerCase().includes(step.toLowerCase()));
}

/** The parts that the driver adds to the name of a gate: for each try after the first, and for each time that the gates start again. */
const REPEATED = /^(?:\.retry\.\d+)?(?:\.again\.\d+\.\d+)?$/;

/** The same, if the gates run before the first turn. */
const BEFORE = /^(?:\.retry\.\d+)?\.before$/;

/** Determines whether a file is a log of a gate. A file that can be of two gates is of the one with the longer name, such as `lint retry 1`. */
function isLogOf(file: string, gate: string, gates: readonly string[]): boolean {
  const [, turn, rest = ''] = /^(?:(?:gates|verification)\/(\d+)-|base\/)(.*)\.log$/.exec(file) ?? [];
  const repeated = turn === '0' ? BEFORE : REPEATED;
  const lengthIn = (name: string) => rest.startsWith(safeName(name)) && repeated.test(rest.slice(name.length)) ? name.length : 0;
  return lengthIn(gate) > 0 && gates.every((other) => lengthIn(other) <= lengthIn(gate));
}

function whereTheRestIs({ loop }: FoundRun, count: number, bucket: string | undefined): string {
  const group = `/aws/bedrock-agentcore/runtimes/${loop.runtimeArn.split('/').pop()}-${loop.endpointName ?? 'DEFAULT'}`;
  const have = count === 0 ? 'the execution history has no output of this run' : 'this is the end of the output of failed steps, from the execution history';
  const whole = bucket === undefined ? 'to keep the complete logs of later runs, set "artifacts" of the loop' : `there is no log in ${bucket} yet`;
  return `${have}. What the agent printed is in the log group ${group}; ${whole}`;
}
