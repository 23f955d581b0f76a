import type { Account } from './account';
import { Execution, Executions } from './executions';
import { DeployedLoop, EXECUTION_ARN, loopsOf, loopOf, LoopSelection } from './loops';
import { isExecutionName, stateMachineOf } from '../../src/loop/steps/sessions';
import { didYouMean } from '../common/did-you-mean';
import { MisuseError } from '../common/misuse';

/** A run of a loop in an account. */
export interface FoundRun {
  readonly loop: DeployedLoop;
  readonly execution: Execution;
}

/** The number of runs of each loop, from the newest, among which a part of a name is looked for. */
const LOOKED_AT = 5_000;
/** The number of names that an error lists. */
const NAMED = 10;

/** Returns the run of that name or ARN, or whose name has that part. Fails if there is none, or more than one. */
export async function findRun(account: Account, executions: Executions, selection: LoopSelection, run: string): Promise<FoundRun> {
  if (EXECUTION_ARN.test(run)) {
    // Its state machine may have been deleted or replaced.
    const loop = await loopOf(account, stateMachineOf(run)) ?? await executions.loopOf(run);
    const execution = loop && await executions.find(run);
    if (loop === undefined) throw new MisuseError(`${run} is not a run of a CodingLoop`);
    return execution === undefined ? absent(run, []) : { loop, execution };
  }
  const loops = await loopsOf(account, selection);
  const exact = await present(executions, loops.map((loop) => ({ loop, arn: `${loop.arn.replace(':stateMachine:', ':execution:')}:${run}`, name: run })));
  if (exact.length === 1) return exact[0];
  if (exact.length > 1) return ambiguous(run, exact.map(({ execution, loop }) => `${execution.name} of ${loop.path}`), 'say which loop with --loop');
  const listed: ListedRun[] = [];
  for (const loop of loops) {
    let left = LOOKED_AT;
    for await (const { executionArn, name } of executions.list(loop)) {
      if (left-- <= 0) break;
      listed.push({ loop, arn: executionArn!, name: name! });
    }
  }
  const close = listed.filter(({ name }) => name.includes(run));
  if (close.length > 1) return ambiguous(run, close.map(({ name }) => name), 'give more of the name');
  const [found] = await present(executions, close);
  return found ?? absent(run, listed.map(({ name }) => name));
}

/** Returns the run with the loop as its execution has it: a later deployment may have changed the loop. */
export async function asItRan(executions: Executions, { loop, execution }: FoundRun): Promise<FoundRun> {
  return { loop: await executions.loopOf(execution.arn) ?? loop, execution };
}

interface ListedRun {
  readonly loop: DeployedLoop;
  readonly arn: string;
  readonly name: string;
}

async function present(executions: Executions, all: readonly ListedRun[]): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  for (const { loop, arn, name } of all) {
    // A name that no execution can have would be refused.
    const execution = isExecutionName(name) ? await executions.find(arn) : undefined;
    if (execution !== undefined) found.push({ loop, execution });
  }
  return found;
}

function absent(run: string, names: readonly string[]): never {
  throw new MisuseError(`there is no run "${run}": "runs list" lists the runs of the last 90 days, which Step Functions keeps${didYouMean(run, names)}`);
}

function ambiguous(run: string, names: readonly string[], advice: string): never {
  const more = names.length > NAMED ? [`  and ${names.length - NAMED} more`] : [];
  throw new MisuseError([`"${run}" matches ${names.length} runs: ${advice}`, ...names.slice(0, NAMED).map((name) => `  ${name}`), ...more].join('\n'));
}
