import { resolve } from 'node:path';
import { LIMITS } from '../../src/jobs/constants';
import { LOOP_LIMITS } from '../../src/loop/steps/constants';
import { COMMAND_MODES, CommandMode } from '../agentcore/words';
import { readArguments, REHEARSE_OPTIONS, unexpected, Values as ValuesOf } from '../common/arguments';
import { didYouMean } from '../common/did-you-mean';
import { inputOfFile } from '../common/input-file';
import type { Faults } from '../common/misuse';
import type { RehearsalInput } from '../run/input';
import { isPath } from '../run/repository-fault';

const SANDBOXES = ['namespace', 'container'] as const;
export type SandboxKind = typeof SANDBOXES[number];

/** The target of a run, which is stored so that a session can be continued by its id alone. Paths are absolute. */
export interface Target {
  readonly app?: string;
  readonly stack?: string;
  readonly loop?: string;
  readonly repository?: string;
  readonly ref?: string;
  /** Commits of history; 0 is all of them. @default - as the loop says */
  readonly depth?: number;
  readonly agent?: string;
  readonly gates?: readonly { readonly name: string; readonly command: string }[];
  readonly bootstrap?: readonly string[];
  /** Determines whether the gates also run before the first turn. */
  readonly gatesBefore?: boolean;
  /** Determines whether a gate that fails on the base ends the run. */
  readonly checkBase?: boolean;
  /** Determines whether a gate passes that fails only as on the base. */
  readonly knownFailures?: boolean;
  /** Paths of JUnit reports, by the name of a gate. */
  readonly reports?: { readonly [name: string]: string };
  /** The number of times that a verification runs a gate again, by its name. */
  readonly retries?: { readonly [name: string]: number };
  /** Determines whether a pipe in a gate fails if any of its programs fails. @default true */
  readonly pipefail?: false;
  readonly maxRepairs?: number;
  /** Seconds, by the name of a gate, or `agent` or `bootstrap`. */
  readonly timeouts?: { readonly [name: string]: number };
  /** Names of variables; their values are nobody's to keep. */
  readonly env?: readonly string[];
  /** Determines whether sessions may use the user's ssh agent. */
  readonly sshAgent?: boolean;
  /** Directory that sessions have their caches in. @default - the session's own disk */
  readonly cache?: string;
  /** @default - whatever this machine can have */
  readonly sandbox?: SandboxKind;
  /** The image of the containers. @default - the app's own image */
  readonly image?: string;
  /** Number of the user that sessions run as, in namespaces. @default - you */
  readonly user?: number;
  /** The way in which the emulated service parses commands. @default 'strict' */
  readonly commandMode?: CommandMode;
}

export interface Options {
  readonly command: 'run' | 'sessions' | 'stop' | 'shell' | 'logs' | 'clean';
  /** The ID of a session, for commands that take one. */
  readonly id?: string;
  readonly target: Target;
  readonly input: Partial<RehearsalInput>;
  /** The file of the input, for messages. */
  readonly inputFile?: string;
  /** False if the file cannot be read, which is a fault. */
  readonly isInputRead: boolean;
  readonly sessionId?: string;
  /** Seconds, for `clean`. */
  readonly olderThan?: number;
  /** The options of a run that continues in a session. */
  readonly goesOn: Pick<NonNullable<RehearsalInput['session']>, 'update' | 'onTop'>;
  readonly state: string;
  readonly json: boolean;
  readonly verbose: boolean;
}

const COMMANDS = ['sessions', 'stop', 'shell', 'logs', 'clean'] as const;

/** Reads the command line. What is wrong with it is added to the faults, and left out of what is returned. */
export function parseOptions(args: readonly string[], faults: Faults): Options {
  const { values, positionals } = readArguments(args, REHEARSE_OPTIONS, faults);
  const [command, id, ...rest] = positionals;
  const known = COMMANDS.find((each) => each === command);
  if (command !== undefined && known === undefined) {
    const near = didYouMean(command, COMMANDS);
    faults.add(near === '' && positionals[0] !== args[0]
      ? unexpected(positionals)
      : `"${command}" is not a command of "rehearse"${near || `: the commands are ${COMMANDS.join(', ')}; options alone start a run`}`);
  } else if (rest.length > 0) {
    faults.add(unexpected(rest));
  } else if (known !== undefined && known !== 'sessions' && known !== 'clean' && id === undefined) {
    faults.add(`"rehearse ${known}" needs the ID of a session: "rehearse sessions" lists them`);
  }
  const input = values.input === undefined ? {} : inputOfFile(values.input, faults);
  const target = targetOf(values, faults);
  if (command !== undefined && known === undefined) faults.throwIfAny(); // whatever it was, it was no run
  return {
    command: known ?? 'run',
    id,
    target,
    input: { ...input, ...defined({ prompt: values.prompt, taskId: values.task }) },
    inputFile: values.input,
    isInputRead: input !== undefined,
    sessionId: values.session,
    olderThan: ageOf(known ?? 'run', values['older-than'], faults),
    goesOn: goesOn(values, faults),
    state: resolve(values.state),
    json: values.json,
    verbose: values.verbose,
  };
}

type Values = ValuesOf<typeof REHEARSE_OPTIONS>;

function targetOf(values: Values, faults: Faults): Target {
  const maxRepairs = values['max-repairs'];
  const { repairs } = LOOP_LIMITS;
  if (maxRepairs !== undefined && !(/^\d{1,9}$/.test(maxRepairs) && Number(maxRepairs) <= repairs)) {
    faults.add(`--max-repairs must be a whole number from 0 to ${repairs}, not "${maxRepairs}"`);
  }
  for (const name of values.env ?? []) {
    if (process.env[name] === undefined) faults.add(`--env ${name}: the variable is not set here${didYouMean(name, Object.keys(process.env))}`);
  }
  return defined({
    app: values.app === undefined ? undefined : resolve(values.app),
    stack: values.stack,
    loop: values.loop,
    repository: values.repository === undefined || !isPath(values.repository) ? values.repository : resolve(values.repository),
    ref: values.ref,
    depth: depthOf(values, faults),
    agent: values.agent,
    gates: values.gate?.flatMap((text) => gateOf(text, faults)),
    bootstrap: values.bootstrap,
    gatesBefore: values['gates-before'] || undefined,
    checkBase: values['check-base'] || undefined,
    knownFailures: values['known-failures'] || undefined,
    reports: byGate('--report', values.report?.flatMap((text) => reportOf(text, faults)), faults),
    retries: byGate('--retries', values.retries?.flatMap((text) => retriesOf(text, faults)), faults),
    pipefail: values['no-pipefail'] ? false : undefined,
    maxRepairs: maxRepairs === undefined ? undefined : Number(maxRepairs),
    timeouts: byGate('--timeout', values.timeout?.flatMap((text) => timeoutOf(text, faults)), faults),
    env: values.env,
    sshAgent: values['ssh-agent'] || undefined,
    cache: values.cache === undefined ? undefined : resolve(values.cache),
    commandMode: oneOf('--command-mode', values['command-mode'], COMMAND_MODES, faults),
    ...sandboxOf(values, faults),
  });
}

function depthOf({ depth }: Values, faults: Faults): number | undefined {
  if (depth === undefined || /^\d{1,9}$/.test(depth)) return depth === undefined ? undefined : Number(depth);
  faults.add(`--depth must be a whole number of commits, such as 1 for only the newest or 0 for all, not "${depth}"`);
  return undefined;
}

function goesOn({ session, update, 'on-top': onTop }: Values, faults: Faults): Options['goesOn'] {
  if (session === undefined && update) faults.add('--update needs --session: name the session, or leave out --update, since a new session starts from the newest commit');
  if (session === undefined && onTop) faults.add('--on-top needs --session: name the session, or give the branch to start from with --ref');
  return defined({ update: update || undefined, onTop: onTop || undefined });
}

function sandboxOf({ sandbox, image, user }: Values, faults: Faults): Pick<Target, 'sandbox' | 'image' | 'user'> {
  const kind = sandbox === 'auto' ? undefined : oneOf('--sandbox', sandbox, [...SANDBOXES, 'auto'] as const, faults) as SandboxKind | undefined;
  if (kind === 'namespace' && image !== undefined) faults.add('--image needs a container: leave out --sandbox namespace, which uses the programs of this machine');
  if (user === undefined) return image === undefined ? { sandbox: kind } : { sandbox: 'container', image };
  if (!/^\d{1,9}$/.test(user)) faults.add(`--user must be the number of a user, such as 0 for root, not "${user}": "id -u" prints yours`);
  if (kind === 'container' || image !== undefined) faults.add('--user needs a namespace: a container runs as the user of its image');
  return { sandbox: 'namespace', user: Number(user) };
}

function oneOf<T extends string>(option: string, value: string | undefined, known: readonly T[], faults: Faults): T | undefined {
  const found = known.find((each) => each === value);
  if (found === undefined && value !== undefined) faults.add(`${option} must be ${known.slice(0, -1).join(', ')} or ${known[known.length - 1]}, not "${value}"${didYouMean(value, known)}`);
  return found;
}

function gateOf(text: string, faults: Faults): { name: string; command: string }[] {
  const match = /^([^=]+)=(.+)$/s.exec(text);
  if (match) return [{ name: match[1].trim(), command: match[2] }];
  faults.add(`--gate must be NAME=COMMAND, such as test='npm test', not "${text}"`);
  return [];
}

const SECONDS = { s: 1, m: 60, h: 3_600 } as const;

function timeoutOf(text: string, faults: Faults): [string, number][] {
  const [, name, amount, unit] = /^([^=]+)=(\d{1,5})([smh])$/.exec(text) ?? [];
  const seconds = Number(amount) * SECONDS[unit as keyof typeof SECONDS];
  if (seconds >= 1 && seconds <= LIMITS.sessionSeconds) return [[name.trim(), seconds]];
  faults.add(`--timeout must be NAME=TIME with a time from 1s to 8h, such as test=40m, not "${text}"`);
  return [];
}

function reportOf(text: string, faults: Faults): [string, string][] {
  const [, name, path] = /^([^=]+)=(?!\/)(.{1,500})$/.exec(text) ?? [];
  if (path !== undefined && path.trim() !== '' && !path.split('/').includes('..')) return [[name.trim(), path]];
  faults.add(`--report must be NAME=GLOB with the path of files in the repository, such as test='reports/*.xml', not "${text}"`);
  return [];
}

function retriesOf(text: string, faults: Faults): [string, number][] {
  const [, name, number] = /^([^=]+)=(\d)$/.exec(text) ?? [];
  if (number !== undefined && Number(number) <= LOOP_LIMITS.retries) return [[name.trim(), Number(number)]];
  faults.add(`--retries must be NAME=N with a whole number from 0 to ${LOOP_LIMITS.retries}, such as test=1, not "${text}"`);
  return [];
}

/** Returns what is given for each gate. */
function byGate<T>(option: string, given: readonly [string, T][] | undefined, faults: Faults): { readonly [name: string]: T } | undefined {
  if (given === undefined) return undefined;
  const names = given.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) faults.add(`${option} is given twice for "${twice}": give it once for each gate`);
  return Object.fromEntries(given);
}

const AGES = { m: 60, h: 3_600, d: 86_400 } as const;

function ageOf(command: Options['command'], text: string | undefined, faults: Faults): number | undefined {
  if (text === undefined) return undefined;
  if (command !== 'clean') faults.add('--older-than applies only to "rehearse clean": leave it out');
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount === undefined) faults.add(`--older-than must be a time in minutes, hours or days, such as 90m, 12h or 7d, not "${text}"`);
  return Number(amount) * AGES[unit as keyof typeof AGES];
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
