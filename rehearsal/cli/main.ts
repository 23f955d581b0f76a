import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as inAccount from '../account';
import { clean } from './clean';
import { parseOptions } from './options';
import { rehearse } from './run';
import { aboutSessions } from './sessions';
import { USAGE } from './usage';
import { EXIT } from '../../src/journal/exit-codes';
import { AssemblyError, NotEmulatedError } from '../assembly';
import { didYouMean } from '../common/did-you-mean';
import { homeDirectory } from '../common/home';
import { InterruptedError } from '../common/interrupted';
import { Faults, MisuseError } from '../common/misuse';
import { packageDirectory } from '../common/package-directory';
import { LoopNotFoundError } from '../deployment';
import { AgentNotStartedError } from '../rollout/rollout';
import { RepositoryError } from '../run/local-repository';
import { StateInUseError } from '../run/lock';
import { StateDirectoryError } from '../run/state-directory';

const MISUSES = [NotEmulatedError, MisuseError, RepositoryError, StateInUseError, StateDirectoryError, AssemblyError, LoopNotFoundError];

const COMMANDS = ['rehearse', 'run', 'runs'];

/** The command line. Returns the exit code. */
export async function main(args: readonly string[], stdout = process.stdout, stderr = process.stderr): Promise<number> {
  const [command, ...rest] = args;
  if (command === 'run' || command === 'runs') return account(args, stdout, stderr);
  if (command === undefined || args.includes('--help') || args.includes('-h') || command === 'help') {
    stdout.write(USAGE);
    return command === undefined ? EXIT.MISUSE : EXIT.COMMITTED;
  }
  if (command === '--version') {
    stdout.write(`${ownVersion()}\n`);
    return EXIT.COMMITTED;
  }
  // The CDK asks for a home, and does without what is not there.
  if (homeDirectory() === undefined) process.env.HOME = '/nonexistent';
  try {
    if (command !== 'rehearse') throw new MisuseError(`"${command}" is not a command${didYouMean(command, COMMANDS) || `: the commands are ${COMMANDS.join(', ')}`}`);
    const faults = new Faults();
    const options = parseOptions(rest, faults);
    if (options.command === 'run') return await rehearse(options, faults, stdout, stderr);
    faults.throwIfAny();
    return options.command === 'clean' ? await clean(options, stdout) : await aboutSessions(options, stdout);
  } catch (error) {
    if (error instanceof InterruptedError) return EXIT.INTERRUPTED;
    const misuse = MISUSES.some((type) => error instanceof type);
    stderr.write(`${misuse || !(error instanceof Error) || error.name !== 'Error' ? (error as Error).message : error.stack}\n`);
    if (error instanceof MisuseError) stderr.write('"cdk-agentcore-workbench --help" lists the options\n');
    return misuse ? EXIT.MISUSE : error instanceof AgentNotStartedError ? EXIT.RED : EXIT.INFRASTRUCTURE;
  }
}

/** Runs in an account need the clients of AWS, which a rehearsal does not load. */
function account(args: readonly string[], stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Promise<number> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load the clients of AWS for each command, such as "rehearse"
  const { runsInAccount } = require('../account') as typeof inAccount;
  return runsInAccount(args, stdout, stderr);
}

/** Returns what is wrong with a command line, without a look at the files that it names, or `undefined` if it can be parsed. */
export function misuseOf(args: readonly string[]): string | undefined {
  const faults = new Faults();
  try {
    parseOptions(args.slice(1), faults);
    faults.throwIfAny();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns the version of the package. */
function ownVersion(): string {
  return (JSON.parse(readFileSync(join(packageDirectory(), 'package.json'), 'utf8')) as { readonly version: string }).version;
}
