import { OptionTypes, readArguments, unexpected } from '../common/arguments';
import { didYouMean } from '../common/did-you-mean';
import { inputOfFile } from '../common/input-file';
import type { Faults } from '../common/misuse';

const OPTIONS = {
  'stack': { type: 'string' },
  'loop': { type: 'string' },
  'profile': { type: 'string' },
  'region': { type: 'string' },
  'json': { type: 'boolean', default: false },
  'yes': { type: 'boolean', default: false },
  'input': { type: 'string' },
  'prompt': { type: 'string' },
  'task': { type: 'string' },
  'repository': { type: 'string' },
  'ref': { type: 'string' },
  'issue': { type: 'string' },
  'session': { type: 'string' },
  'update': { type: 'boolean', default: false },
  'on-top': { type: 'boolean', default: false },
  'name': { type: 'string' },
  'detach': { type: 'boolean', default: false },
  'state': { type: 'string' },
  'max': { type: 'string' },
  'step': { type: 'string' },
  'gate': { type: 'string' },
  'output': { type: 'string' },
  'all': { type: 'boolean', default: false },
} as const satisfies OptionTypes;

type Option = keyof typeof OPTIONS;

/** The options of every command. */
const COMMON: readonly Option[] = ['stack', 'loop', 'profile', 'region', 'json'];

/** Options that are a name. */
const NAMES = ['stack', 'loop', 'profile', 'region', 'session', 'gate', 'step'] as const satisfies readonly Option[];

/** The other options of each command. */
const COMMANDS = {
  run: ['input', 'prompt', 'task', 'repository', 'ref', 'issue', 'session', 'update', 'on-top', 'name', 'detach'],
  list: ['state', 'max'],
  show: [],
  watch: [],
  logs: ['step', 'gate'],
  report: ['output'],
  stop: ['all', 'yes'],
  brake: ['yes'],
} as const satisfies { readonly [command: string]: readonly Option[] };

export type Command = keyof typeof COMMANDS;

/** The states that Step Functions has for an execution. */
export const STATES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
export type State = typeof STATES[number];

const BRAKE = ['on', 'off', 'status'] as const;

/** The number of runs that are listed by default, and at most. */
const LISTED = { default: 20, most: 1_000 } as const;

export interface AccountOptions {
  readonly command: Command;
  /** The name or the ARN of a run, or a part of its name. */
  readonly run?: string;
  readonly brake?: typeof BRAKE[number];
  readonly stack?: string;
  readonly loop?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly json: boolean;
  readonly yes: boolean;
  readonly detach: boolean;
  readonly all: boolean;
  /** The input of a new run as given on the command line, not yet validated. */
  readonly input: { readonly [field: string]: unknown };
  readonly inputFile?: string;
  /** False if the file cannot be read: what it lacks is not known. */
  readonly isInputRead: boolean;
  /** The run whose session a new run continues in, or the ID of the session. */
  readonly session?: string;
  readonly sessionOptions: { readonly update?: true; readonly onTop?: true };
  readonly name?: string;
  readonly state?: State;
  readonly max: number;
  readonly step?: string;
  readonly gate?: string;
  /** The file of a report. */
  readonly output?: string;
}

/** Reads a command line that starts with `run` or `runs`. What is wrong with it is added to the faults, and left out of what is returned. */
export function accountOptions([word, ...args]: readonly string[], faults: Faults): AccountOptions {
  const { values, positionals } = readArguments(args, OPTIONS, faults);
  const [first, ...more] = positionals;
  const command = word === 'run' ? 'run' : commandOf(first, faults);
  const rest = word === 'run' ? positionals : more;
  for (const option of givenIn(values)) {
    const known: readonly Option[] = [...COMMON, ...COMMANDS[command]];
    if (!known.includes(option)) faults.add(`--${option} is not an option of "${spoken(command)}"${usesOf(option)}`);
  }
  // Such as of a variable of a shell that is not set: an empty name would be a part of every name.
  for (const option of NAMES.filter((each) => values[each] === '')) faults.add(`--${option} is empty: give it a value, or leave it out`);
  const taken = argumentOf(command, rest, values.all, faults);
  const file = values.input === undefined ? {} : inputOfFile(values.input, faults);
  return {
    command,
    ...taken,
    ...defined({
      stack: values.stack,
      loop: values.loop,
      profile: values.profile,
      region: values.region,
      session: values.session,
      name: values.name,
      step: values.step,
      gate: values.gate,
      output: values.output,
      inputFile: values.input,
      state: stateOf(values.state, faults),
    }),
    json: values.json,
    yes: values.yes,
    detach: values.detach,
    all: values.all,
    input: { ...file, ...inputOf(values, faults) },
    isInputRead: file !== undefined,
    sessionOptions: defined({ update: values.update || undefined, onTop: values['on-top'] || undefined }) as AccountOptions['sessionOptions'],
    max: maxOf(values.max, faults),
  };
}

/** The command as it is typed. */
function spoken(command: Command): string {
  return command === 'run' ? 'run' : `runs ${command}`;
}

function commandOf(word: string | undefined, faults: Faults): Exclude<Command, 'run'> {
  const known = (Object.keys(COMMANDS) as Command[]).filter((each): each is Exclude<Command, 'run'> => each !== 'run');
  const found = known.find((each) => each === word);
  if (found === undefined && word !== undefined) {
    faults.add(`"${word}" is not a command of "runs"${didYouMean(word, known) || `: the commands are ${known.join(', ')}`}`);
    faults.throwIfAny(); // its options are not known
  }
  return found ?? 'list';
}

function usesOf(option: Option): string {
  const uses = (Object.keys(COMMANDS) as Command[]).filter((command) => (COMMANDS[command] as readonly Option[]).includes(option));
  return `: it belongs to ${uses.map((command) => `"${spoken(command)}"`).join(' and ')}`;
}

type Given = ReturnType<typeof readArguments<typeof OPTIONS>>['values'];

function givenIn(values: Given): Option[] {
  return (Object.keys(OPTIONS) as Option[]).filter((option) => values[option] !== undefined && values[option] !== false);
}

/** The argument after the command: a run, or what to do with the brake. */
function argumentOf(command: Command, rest: readonly string[], all: boolean, faults: Faults): Pick<AccountOptions, 'run' | 'brake'> {
  const takes = command === 'run' || command === 'list' ? 0 : 1;
  if (rest.length > takes) faults.add(unexpected(rest.slice(takes)));
  const [argument] = rest;
  if (takes === 0) return {};
  if (command === 'brake') {
    const brake = argument === undefined ? 'status' : BRAKE.find((each) => each === argument);
    if (brake === undefined) faults.add(`"runs brake" takes on, off or status, not "${argument}"`);
    return { brake };
  }
  if (all && argument !== undefined) faults.add('--all stops every run: leave out the name of a run, or leave out --all');
  if ((argument ?? '') === '' && !all) faults.add(`"runs ${command}" needs the name of a run: "runs list" lists them${command === 'stop' ? '; --all stops all of them' : ''}`);
  return { run: argument };
}

function stateOf(text: string | undefined, faults: Faults): State | undefined {
  if (text === undefined) return undefined;
  const found = STATES.find((state) => state === text.toUpperCase().replace(/-/g, '_'));
  if (found === undefined) faults.add(`--state must be ${STATES.slice(0, -1).join(', ')} or ${STATES.at(-1)}, not "${text}"${didYouMean(text.toUpperCase(), STATES)}`);
  return found;
}

function maxOf(text: string | undefined, faults: Faults): number {
  if (text === undefined) return LISTED.default;
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= LISTED.most) return Number(text);
  faults.add(`--max must be a whole number from 1 to ${LISTED.most}, not "${text}"`);
  return LISTED.default;
}

function inputOf({ prompt, task, repository, ref, issue }: Given, faults: Faults): AccountOptions['input'] {
  if (issue !== undefined && !/^[1-9]\d{0,9}$/.test(issue)) faults.add(`--issue must be the number of an issue or a pull request, not "${issue}"`);
  const named = defined({ url: repository, ref });
  return defined({
    prompt, taskId: task, repository: Object.keys(named).length === 0 ? undefined : named, issue: issue === undefined ? undefined : Number(issue),
  });
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
