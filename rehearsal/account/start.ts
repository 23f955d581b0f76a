import { randomBytes } from 'node:crypto';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Account } from './account';
import { Execution, executionOf, Executions } from './executions';
import { findRun } from './find-run';
import { DeployedLoop, theLoop } from './loops';
import type { AccountOptions } from './options';
import { LOOP_ERRORS, LOOP_LIMITS } from '../../src/loop/steps/constants';
import { checkRepositoryOfInput, inputFaults } from '../../src/loop/steps/input';
import type { LoopInput } from '../../src/loop/steps/records';
import { isExecutionName, sessionOf } from '../../src/loop/steps/sessions';
import { Faults, MisuseError } from '../common/misuse';

/** A run that has been started. */
export interface StartedRun {
  readonly loop: DeployedLoop;
  /** Known without being asked for, which may be too early: descriptions are eventually consistent. */
  readonly execution: Execution;
  readonly input: LoopInput;
}

/** Returns what is wrong with the options of a new run, as far as it can be seen without a request to AWS. */
export function startFaults({ session, sessionOptions, name, input, isInputRead }: AccountOptions): string[] {
  return [
    ...session === undefined && Object.keys(sessionOptions).length > 0 ? ['--update and --on-top need --session: name the run whose session to continue in, or leave them out'] : [],
    ...name !== undefined && !isExecutionName(name) ? [`--name must be 1 to 80 characters without spaces and without any of <>{}[]?*"#%\\^|~\`$&,;:/, not "${name}"`] : [],
    // The prompt may be in a file that cannot be read.
    ...session === undefined ? faultsOf({ taskId: 'a-task', ...isInputRead ? {} : { prompt: 'a prompt' }, ...input }) : [],
  ];
}

/** Starts a run of a loop. What its first step would refuse is refused before. */
export async function startRun(
  account: Account, executions: Executions, options: AccountOptions, onStart: (loop: DeployedLoop) => void,
): Promise<StartedRun> {
  const loop = await theLoop(account, options);
  const { session, taskId } = options.session === undefined ? {} : await sessionOfRun(account, executions, options, loop, options.session);
  const name = options.name ?? nameFor(options.input.taskId ?? taskId);
  const input = {
    ...options.input,
    // A name may be longer, and have other characters.
    taskId: options.input.taskId ?? taskId ?? name.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 64),
    ...session === undefined ? {} : { session: { ...session, ...options.sessionOptions } },
  } as unknown as LoopInput;
  const faults = new Faults();
  faults.add(...faultsOf(input as unknown as AccountOptions['input']), ...repositoryFaults(input, loop));
  faults.throwIfAny();
  onStart(loop);
  const arn = `${loop.arn.replace(':stateMachine:', ':execution:')}:${name}`;
  const text = JSON.stringify(input);
  const startDate = await account.ask({ action: 'states:StartExecution', resource: loop.arn }, async () => {
    try {
      return (await account.sfn.send(new StartExecutionCommand({ stateMachineArn: loop.arn, name, input: text }))).startDate;
    } catch (error) {
      if ((error as Error).name === 'ExecutionAlreadyExists') throw new MisuseError(`a run with the name "${name}" already exists: give another --name, or leave it out`);
      throw error;
    }
  });
  return { loop, execution: executionOf({ executionArn: arn, name, status: 'RUNNING', startDate, input: text }), input };
}

/** Returns what is wrong with an input, in words for those who typed it. */
function faultsOf(input: AccountOptions['input']): string[] {
  if (input.prompt === undefined) return ['--prompt is missing: say what the agent has to do, with --prompt or in the file of --input'];
  return inputFaults(input as unknown as LoopInput, LOOP_LIMITS.promptBytes);
}

function repositoryFaults({ repository }: LoopInput, loop: DeployedLoop): string[] {
  if (repository?.url === undefined && loop.repository === undefined) return ['the loop has no repository of its own: give one with --repository URL'];
  try {
    checkRepositoryOfInput(repository?.url, loop);
    return [];
  } catch (error) {
    if ((error as Error).name !== LOOP_ERRORS.BAD_INPUT) throw error;
    return [(error as Error).message];
  }
}

interface EarlierSession {
  readonly session: NonNullable<LoopInput['session']>;
  readonly taskId?: string;
}

/** The number of characters of a session's ID after the name of its execution. */
const ID_SUFFIX = 34;

/** Returns the session of an earlier run, which is named, or of an ID of a session. */
async function sessionOfRun(
  account: Account, executions: Executions, options: AccountOptions, loop: DeployedLoop, named: string,
): Promise<EarlierSession> {
  const isId = new RegExp(`^.+-[0-9a-f]{${ID_SUFFIX - 1}}$`).test(named);
  const { execution } = await findRun(account, executions, { ...options, loop: loop.arn }, isId ? named.slice(0, -ID_SUFFIX) : named);
  if (execution.state === 'RUNNING') throw new MisuseError(`the run ${execution.name} is still working in its session: wait until it ends, or stop it with "runs stop ${execution.name}"`);
  const { record, input } = execution;
  const session = record?.session ?? sessionOf(execution.arn, input, loop.config.endpointName)?.session;
  if (session === undefined || (isId && session.id !== named)) throw new MisuseError(`--session ${named}: no run of ${loop.path} created that session`);
  const { taskId } = (input ?? {}) as { readonly taskId?: unknown };
  return { session, taskId: typeof taskId === 'string' ? taskId : undefined };
}

/** Returns a name that is easy to read, and that no other run has: the task, the time in UTC, and a few random letters. */
function nameFor(taskId: unknown): string {
  const task = (typeof taskId === 'string' ? taskId : 'run').replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 56);
  const time = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15);
  return `${task}-${time}-${randomBytes(3).toString('hex')}`;
}
