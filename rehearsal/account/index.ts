import { createInterface } from 'node:readline/promises';
import { Account } from './account';
import { brake } from './brake';
import { dollars } from './dollars';
import { Executions } from './executions';
import { findRun } from './find-run';
import { list } from './list';
import { logs } from './logs';
import { DeployedLoop, loopsOf, selectionFaults } from './loops';
import { accountOptions, AccountOptions } from './options';
import { startFaults, startRun } from './start';
import { isGone, StoppedRun, Stopper, stopAll, stopRun } from './stop';
import { report, Streams, tell, Telling } from './story-of-run';
import { ACCOUNT_USAGE } from './usage';
import { Clock, SYSTEM_CLOCK } from '../../src/handler/clock';
import { numberFromEnv } from '../../src/handler/environment';
import { ENVIRONMENT } from '../../src/jobs/constants';
import { EXIT } from '../../src/journal/exit-codes';
import { costBoundOf } from '../../src/journal/report/cost-bound';
import { Terminal } from '../../src/journal/terminal';
import { InterruptedError } from '../common/interrupted';
import { Faults, MisuseError } from '../common/misuse';

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
    faults.add(...selectionFaults(options), ...options.command === 'run' ? startFaults(options) : []);
    faults.throwIfAny();
    account = await Account.open(options);
    return await perform(account, options, { stdout, stderr }, clock);
  } catch (thrown) {
    if (thrown instanceof InterruptedError) return EXIT.INTERRUPTED;
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

async function perform(account: Account, options: AccountOptions, streams: Streams, clock: Clock): Promise<number> {
  const executions = new Executions(account);
  const print = (line: string) => void streams.stdout.write(`${line}\n`);
  const telling = { account, executions, options, streams };
  const find = () => findRun(account, executions, options, options.run!);
  switch (options.command) {
    case 'run': return start(telling, print);
    case 'list': return list(account, executions, options, print);
    case 'brake': return brake(account, options, print);
    case 'stop': return stop(account, executions, options, streams, clock);
    case 'logs': return logs(account, executions, await find(), options, print);
    case 'report': return report(telling, await find());
    case 'show': return tell(telling, await find(), false);
    case 'watch': return tell(telling, await find(), true);
  }
}

async function start(telling: Telling, print: (line: string) => void): Promise<number> {
  const { account, executions, options } = telling;
  const told = !options.json && !options.detach;
  const { loop, execution, input } = await startRun(account, executions, options, (found) => {
    if (told) introduce(found, options, print);
  });
  const { name, arn } = execution;
  if (options.detach) {
    print(options.json ? JSON.stringify({ run: name, loop: loop.path, arn, input }, undefined, 2) : name);
    return EXIT.COMMITTED;
  }
  if (told) print(`run: ${name}\n`);
  return tell(telling, { loop, execution }, true);
}

function introduce(loop: DeployedLoop, { input }: AccountOptions, print: (line: string) => void): void {
  const bound = costBoundOf(loop, loop.config.operate?.budget);
  print(`running ${loop.path}${loop.repository === undefined ? '' : ` on ${loop.repository.url}`}`);
  print(`gates: ${loop.gates.map(({ name, command }) => `${name} (${firstLine(command)})`).join(', ')}; at most ${loop.maxRepairs} ${loop.maxRepairs === 1 ? 'repair' : 'repairs'}`);
  print(`prompt: ${firstLine(String(input.prompt))}`);
  if (bound !== undefined) print(`cost: at most ${dollars(bound)} for AWS, computed from the timeouts; the model is not included`);
}

function firstLine(text: string): string {
  const [first, ...more] = text.trim().split('\n');
  return more.length === 0 ? first : `${first} …`;
}

async function stop(account: Account, executions: Executions, options: AccountOptions, { stdout, stderr }: Streams, clock: Clock): Promise<number> {
  const stopper = new Stopper(account, clock, numberFromEnv(ENVIRONMENT.BACKOFF_SECONDS, 1));
  const runs = options.all ? await allOf(account, executions, stopper, options, { stdout, stderr })
    : await stopRun(stopper, executions, await findRun(account, executions, options, options.run!));
  if (options.json) stdout.write(`${JSON.stringify(runs, undefined, 2)}\n`);
  else if (runs.length === 0) stdout.write('no run is in progress\n');
  else runs.forEach((run) => stdout.write(`${inWords(run)}\n`));
  const failed = runs.filter((run) => !isGone(run)).length;
  if (failed > 0 && options.all && !options.json) stdout.write(`${failed} of ${runs.length} runs or their sessions could not be stopped\n`);
  return failed > 0 ? EXIT.INFRASTRUCTURE : EXIT.COMMITTED;
}

async function allOf(
  account: Account, executions: Executions, stopper: Stopper, options: AccountOptions, { stdout, stderr }: Streams,
): Promise<StoppedRun[]> {
  const loops = await loopsOf(account, options);
  const paths = loops.map(({ path }) => path).join(', ');
  if (!options.yes && !await isConfirmed(`stop all runs of ${paths}?`)) throw new MisuseError(`nothing was stopped: give --yes to stop all runs of ${paths} without a confirmation`);
  const terminal = new Terminal(options.json ? stderr : stdout);
  try {
    return await stopAll(stopper, executions, loops, (stopped) => {
      if (terminal.interactive) terminal.watch(() => [`stopped ${stopped} …`]);
    });
  } finally {
    terminal.settle();
  }
}

/** Asks at the terminal. The end of the input (Ctrl-D) is a no; an interrupt (Ctrl-C) ends the command. */
async function isConfirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) return false;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const interrupt = new AbortController();
  reader.once('SIGINT', () => interrupt.abort());
  try {
    return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `, { signal: interrupt.signal })).trim());
  } catch (error) {
    if (interrupt.signal.aborted) throw new InterruptedError();
    if ((error as Error).name !== 'AbortError') throw error;
    return false;
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
