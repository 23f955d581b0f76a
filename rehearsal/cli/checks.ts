import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Options, Target } from './options';
import { hasGit } from './preflight';
import type { RunStore, StoredSession } from './run-store';
import { GATE_NAME, LOOP_LIMITS } from '../../src/loop/steps/constants';
import { hasCredentials } from '../../src/loop/steps/git-names';
import { inputFaults } from '../../src/loop/steps/input';
import { Assembly, AssemblyError } from '../assembly';
import { didYouMean } from '../common/did-you-mean';
import { secretsOf } from '../common/mask-values';
import type { Faults } from '../common/misuse';
import { writableFault } from '../common/writable';
import { LoopNotFoundError } from '../deployment';
import type { RehearsalInput } from '../run/input';
import { namedAgent } from '../run/local-agent';
import { checkSource, LocalRepository } from '../run/local-repository';
import { loopIn } from '../run/loop-image';
import { directoryFault, isPath, referenceFault } from '../run/repository-fault';

export interface CheckedRun {
  readonly target: Target;
  readonly input: RehearsalInput;
}

/**
 * Returns the target and the input of a run, merged with those of the last run of its session. Fails with everything that is wrong with them, before
 * anything that takes time: a synthesis, an image, a session.
 */
export async function checkedRun(options: Options, store: RunStore, faults: Faults): Promise<CheckedRun> {
  const session = sessionOf(options, store, faults);
  const { target, input } = resumed(options, session);
  faults.add(...idleFaults(target));
  // A session that is not there would have said the rest.
  if (options.sessionId === undefined || session !== undefined) faults.add(...missingFaults(target, input, options.isInputRead));
  faults.add(...target.app === undefined ? loopFaults(target) : appFaults(target), ...agentFaults(target));
  faults.add(...faultsOfInput(options, input), ...writableFaults('--state', options.state), ...shareFaults(target), ...messageFaults(target, input));
  if (hasGit()) faults.add(...await repositoryFaults(options, target, input)); // without it, that is what the next check says
  faults.throwIfAny();
  return { target, input };
}

function shareFaults({ cache, sshAgent }: Target): string[] {
  const socket = process.env.SSH_AUTH_SOCK ?? '';
  return [
    ...cache === undefined ? [] : writableFaults('--cache', cache),
    ...sshAgent !== true || statSync(socket, { throwIfNoEntry: false })?.isSocket() === true ? []
      : [`--ssh-agent: SSH_AUTH_SOCK is ${socket === '' ? 'not set' : `"${socket}", which is not a socket`}: start an agent and give it your key, with eval "$(ssh-agent)" and ssh-add`],
  ];
}

/** Faults of the texts that go into the commit's message and the branch's name. */
function messageFaults({ env = [] }: Target, { prompt, taskId }: RehearsalInput): string[] {
  const secrets = secretsOf(Object.fromEntries(env.map((name) => [name, process.env[name] ?? ''])));
  const texts = { 'the prompt': prompt, 'the task\'s ID': taskId };
  return Object.entries(texts).flatMap(([what, text]) => secrets
    .filter(({ parts }) => typeof text === 'string' && parts.some((part) => text.includes(part)))
    .map(({ name }) => `${what} contains the value of ${name} (--env), and so would the commit: remove it; if it is not a secret, set it in the command that needs it instead`));
}

function writableFaults(option: string, directory: string): string[] {
  const fault = writableFault(directory);
  return fault === undefined ? [] : [`${option} ${fault}`];
}

function sessionOf({ sessionId, state }: Options, store: RunStore, faults: Faults): StoredSession | undefined {
  if (sessionId === undefined) return undefined;
  try {
    const session = store.session(sessionId);
    if (session === undefined) {
      faults.add(`--session ${sessionId}: there is no such session in ${state}; "rehearse sessions" lists them${didYouMean(sessionId, store.sessions().map(({ id }) => id))}`);
    }
    return session;
  } catch (error) {
    faults.add((error as Error).message); // it fits several
    return undefined;
  }
}

function resumed(options: Options, session: StoredSession | undefined): CheckedRun {
  const input = { prompt: undefined as unknown as string, ...options.input };
  if (session === undefined) return { target: options.target, input: startingFrom(options.target, input) };
  const last = session.runs[session.runs.length - 1];
  const { id, endpointName } = session;
  const target = { ...last.target, ...options.target };
  const goesOnIn = { id, ...(endpointName === undefined ? {} : { endpointName }), ...options.goesOn };
  return { target, input: startingFrom(target, { taskId: last.record.input.taskId, ...input, session: goesOnIn }) };
}

function startingFrom({ ref }: Target, input: RehearsalInput): RehearsalInput {
  return ref === undefined ? input : { ...input, repository: { ...input.repository, ref } };
}

/** Options that would have no effect are refused. */
function idleFaults(target: Target): string[] {
  const { app, stack, loop, gates, bootstrap, gatesBefore, checkBase, knownFailures, reports, retries, pipefail, maxRepairs, timeouts } = target;
  const given = (options: { readonly [option: string]: unknown }) => Object.keys(options).filter((option) => options[option] !== undefined);
  return app === undefined
    ? given({ stack, loop }).map((option) => `--${option} needs --app: name the app's cloud assembly`)
    : given({
      'gate': gates,
      bootstrap,
      'gates-before': gatesBefore,
      'check-base': checkBase,
      'known-failures': knownFailures,
      'report': reports,
      retries,
      'no-pipefail': pipefail,
      'max-repairs': maxRepairs,
      'timeout': timeouts,
    })
      .map((option) => `--${option} cannot be used with --app, whose loop defines it: leave out one of them`);
}

function missingFaults({ app, agent, gates, repository }: Target, input: RehearsalInput, isInputRead: boolean): string[] {
  const own = app !== undefined ? [] : [
    ...(repository ?? input.repository?.url) === undefined
      ? ['--repository is missing: name the directory or URL that the agent works on, or give --app for a loop of your own'] : [],
    ...agent === undefined ? ['--agent is missing: give the command of the agent, or give --app for a loop of your own'] : [],
    ...gates === undefined ? ["--gate is missing: give a command that must pass, such as --gate test='npm test'"] : [],
  ];
  // A file that cannot be read may have it.
  return [...own, ...input.prompt === undefined && isInputRead ? ['--prompt is missing: say what the agent has to do, with --prompt or in the file of --input'] : []];
}

/** The faults that the loop of the command line would report. */
function loopFaults({ agent, gates = [], bootstrap = [], timeouts = {}, reports = {}, retries = {} }: Target): string[] {
  const names = gates.map(({ name }) => name);
  const timed = [...names, 'agent', 'bootstrap'];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return [
    ...agent?.trim() === '' ? ['--agent has an empty command: say what to run'] : [],
    ...twice === undefined ? [] : [`--gate has "${twice}" twice: give each gate a different name`],
    ...names.filter((name) => !GATE_NAME.test(name))
      .map((name) => `--gate "${name}" must have a name of 1 to 40 letters, digits, spaces, "-" and "_" that starts with a letter or digit: rename it`),
    ...gates.filter(({ command }) => command.trim() === '').map(({ name }) => `--gate ${name} has an empty command: say what to run`),
    ...Object.keys(timeouts).filter((name) => !timed.includes(name))
      .map((name) => `--timeout ${name}: there is no gate with that name${didYouMean(name, timed) || `; ${timed.join(', ')} can have a timeout`}`),
    ...Object.entries({ report: reports, retries }).flatMap(([option, values]) => Object.keys(values).filter((name) => !names.includes(name))
      .map((name) => `--${option} ${name}: there is no gate with that name${didYouMean(name, names) || (names.length === 0 ? '' : `; the gates are ${names.join(', ')}`)}`)),
    ...bootstrap.some((command) => command.trim() === '') ? ['--bootstrap has an empty command: remove it'] : [],
  ];
}

/** Faults of an agent that is named instead of given by a command. */
function agentFaults({ agent, sandbox, image }: Target): string[] {
  if (agent === 'strands' || agent === 'custom') {
    return [`--agent ${agent} needs an agent of your own: give its command, or the assembly of an app with CodingAgent.${agent} in --app`];
  }
  if (namedAgent(agent) === undefined || (sandbox !== 'container' && image === undefined)) return [];
  return [`--agent ${agent} uses the program of this machine: leave out --sandbox container and --image, or give --app with an image of AgentImage.forAgent`];
}

function appFaults({ app, stack, loop }: Target): string[] {
  try {
    loopIn(Assembly.load(app!).stack(stack), loop);
    return [];
  } catch (error) {
    if (error instanceof AssemblyError) return [`--app: ${error.message}`];
    // Properties that cannot be emulated are reported later, all together.
    return error instanceof LoopNotFoundError ? [error.message] : [];
  }
}

/** Faults that the loop's first step would refuse. A directory of this machine is allowed here and checked elsewhere. */
function faultsOfInput({ inputFile, input: given }: Options, { prompt, taskId = 'a-task', repository, session }: RehearsalInput): string[] {
  const known = ['prompt', 'taskId', 'repository', 'session'];
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  const { url, ...rest } = repository ?? {};
  const isSeenElsewhere = url === undefined || (typeof url === 'string' && (isPath(url) || hasCredentials(url)));
  const named = isSeenElsewhere ? rest : { url, ...rest };
  const input = { prompt: typeof prompt === 'string' ? prompt : 'none', taskId, session, ...repository === undefined ? {} : { repository: named } };
  return [
    ...unknown.map((key) => `--input ${inputFile}: "${key}" is not a field of the input${didYouMean(key, known) || `: ${known.join(', ')} are`}`),
    ...prompt === undefined || typeof prompt === 'string' ? [] : [`--input ${inputFile}: "prompt" must be a string: put it in quotes`],
    ...inputFaults(input, LOOP_LIMITS.promptBytes),
  ];
}

async function repositoryFaults({ state }: Options, { repository }: Target, input: RehearsalInput): Promise<string[]> {
  const { url, ref } = input.repository ?? {};
  const named = [{ option: '--repository', source: repository }, { option: 'the input\'s "repository.url"', source: url }];
  const faults = await Promise.all(named.map(async ({ option, source }) => {
    if (typeof source !== 'string') return [];
    try {
      checkSource(source);
    } catch (error) {
      return [(error as Error).message];
    }
    return isPath(source) ? directoryFaults(option, resolve(source), state, ref) : [];
  }));
  return faults.flat();
}

async function directoryFaults(option: string, directory: string, state: string, ref: string | undefined): Promise<string[]> {
  const copy = LocalRepository.copyOf(directory, join(state, 'repositories'));
  const isCopied = existsSync(copy);
  if (!existsSync(directory) && isCopied) return []; // what a session goes on with is in the copy
  const fault = await directoryFault(directory);
  if (fault !== undefined) return [`${option} ${directory} cannot be cloned: ${fault}`];
  if (!statSync(directory).isDirectory()) return []; // a bundle of git, which has no working copy to ask
  const none = await referenceFault(directory, ref);
  if (none === undefined || typeof (ref ?? '') !== 'string') return [];
  if (ref === undefined) return [`${option} ${directory} cannot be cloned: ${none}`];
  // Branches that earlier runs made are in the copy.
  return isCopied && await referenceFault(copy, ref) === undefined ? [] : [`"${ref}" is not a branch, tag or commit of ${directory}: ${none}`];
}
