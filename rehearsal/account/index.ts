import { createInterface } from 'node:readline/promises';
import { Account } from './account';
import { brake } from './brake';
import { Executions } from './executions';
import { findRun } from './find-run';
import { list } from './list';
import { loopsOf } from './loops';
import { accountOptions, AccountOptions } from './options';
import { startRun } from './start';
import { isGone, StoppedRun, Stopper, stopAll, stopRun } from './stop';
import { ACCOUNT_USAGE } from './usage';
import { Clock, SYSTEM_CLOCK } from '../../src/handler/clock';
import { EXIT } from '../../src/journal/exit-codes';
import { Terminal } from '../../src/journal/terminal';
import { Faults, MisuseError } from '../cli/misuse';

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The command lines that start with `run` and `runs`. Returns the exit code. */
export async function runsInAccount(
  args: readonly string[], stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, clock = SYSTEM_CLOCK,
): Promise<number> {
  if (args.includes('--help') || args.includes('-h') || (args[0] === 'run' && args.length === 1)) {
    stdout.write(ACCOUNT_USAGE);
    return args.length === 1 ? EXIT.MISUSE : EXIT.COMMITTED;
  }
  let account: Account | undefined;
  try {
    const faults = new Faults();
    const options = accountOptions(args, faults);
    if (options.command !== 'run') faults.throwIfAny();
    account = await Account.open(options);
    return await perform(account, options, faults, { stdout, stderr }, clock);
  } catch (thrown) {
    const error = thrown as Error;
    const isTold = error instanceof MisuseError || error.name === 'AccountError' || error.name === 'LoopNotFoundError';
    stderr.write(`${isTold ? error.message : error.stack}\n`);
    if (!(error instanceof MisuseError)) return EXIT.INFRASTRUCTURE;
    stderr.write(`"cdk-agentcore-workbench ${args[0]} --help" lists the options\n`);
    return EXIT.MISUSE;
  } finally {
    account?.close();
  }
}

async function perform(account: Account, options: AccountOptions, faults: Faults, streams: Streams, clock: Clock): Promise<number> {
  const executions = new Executions(account);
  const print = (line: string) => void streams.stdout.write(`${line}\n`);
  switch (options.command) {
    case 'run': return start(account, executions, options, faults, print);
    case 'list': return list(account, executions, options, print);
    case 'brake': return brake(account, options, print);
    case 'stop': return stop(account, executions, options, streams, clock);
    default: throw new MisuseError(`"runs ${options.command}" is not there yet`);
  }
}

async function start(
  account: Account, executions: Executions, options: AccountOptions, faults: Faults, print: (line: string) => void,
): Promise<number> {
  const run = await startRun(account, executions, options, faults, () => {});
  if (options.json) print(JSON.stringify({ run: run.name, loop: run.loop.path, arn: run.arn, input: run.input }, undefined, 2));
  else print(run.name);
  return EXIT.COMMITTED;
}

async function stop(account: Account, executions: Executions, options: AccountOptions, { stdout, stderr }: Streams, clock: Clock): Promise<number> {
  const stopper = new Stopper(account, executions, clock);
  const runs = options.all ? await allOf(account, executions, stopper, options, { stdout, stderr })
    : [await stopRun(stopper, await findRun(account, executions, options, options.run!))];
  if (options.json) stdout.write(`${JSON.stringify(runs, undefined, 2)}\n`);
  else if (runs.length === 0) stdout.write('no run is under way\n');
  else runs.forEach((run) => stdout.write(`${inWords(run)}\n`));
  const failed = runs.filter((run) => !isGone(run)).length;
  if (failed > 0 && options.all && !options.json) stdout.write(`${failed} of ${runs.length} runs could not be stopped with all that is theirs\n`);
  return failed > 0 ? EXIT.INFRASTRUCTURE : EXIT.COMMITTED;
}

async function allOf(
  account: Account, executions: Executions, stopper: Stopper, options: AccountOptions, { stdout, stderr }: Streams,
): Promise<StoppedRun[]> {
  const loops = await loopsOf(account, options);
  const paths = loops.map(({ path }) => path).join(', ');
  if (!options.yes && !await isConfirmed(`stop all runs of ${paths}?`)) throw new MisuseError(`nothing was stopped: give --yes to stop all runs of ${paths} without being asked`);
  const terminal = new Terminal(options.json ? stderr : stdout);
  try {
    return await stopAll(stopper, executions, loops, (stopped) => {
      if (terminal.interactive) terminal.watch(() => [`stopped ${stopped} …`]);
    });
  } finally {
    terminal.settle();
  }
}

async function isConfirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) return false;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } finally {
    reader.close();
  }
}

function inWords({ run, execution, sessions, error }: StoppedRun): string {
  if (error !== undefined) return `${run}: not stopped: ${error}`;
  const what = execution === 'STOPPED' ? 'stopped' : `it had ended (${execution})`;
  const told = sessions.map(({ id, gone, status }) => `${id === '' ? 'session' : `session ${id}`} ${gone && status === 'stopped' ? 'stopped, and gone' : status}`);
  return `${run}: ${what}; ${told.join('; ')}`;
}
