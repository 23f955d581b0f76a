import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { COMMAND_MODES, CommandMode } from '../agentcore/words';
import type { RehearsalInput } from '../rehearsal';

/** The command line asks for something that cannot be done; the message says what to change. */
export class MisuseError extends Error {
  readonly name = 'MisuseError';
}

const SANDBOXES = ['namespace', 'container'] as const;
export type SandboxKind = typeof SANDBOXES[number];

/** What is run, so that a session can be gone on with by its id alone. Paths are absolute. */
export interface Target {
  readonly app?: string;
  readonly stack?: string;
  readonly loop?: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly agent?: string;
  readonly gates?: readonly { readonly name: string; readonly command: string }[];
  readonly bootstrap?: readonly string[];
  readonly maxRepairs?: number;
  /** Names of variables; their values are nobody's to keep. */
  readonly env?: readonly string[];
  /** @default - whatever this machine can have */
  readonly sandbox?: SandboxKind;
  /** What containers are made from. @default - the app's own image */
  readonly image?: string;
  /** Number of the user that sessions run as, in namespaces. @default - you */
  readonly user?: number;
  /** How the emulated service reads commands. @default 'strict' */
  readonly commandMode?: CommandMode;
}

export interface Options {
  readonly command: 'run' | 'sessions' | 'stop' | 'shell' | 'logs';
  /** Of a session, for what works on one. */
  readonly id?: string;
  readonly target: Target;
  readonly input: Partial<RehearsalInput>;
  readonly sessionId?: string;
  readonly state: string;
  readonly json: boolean;
  readonly verbose: boolean;
}

export const USAGE = `Runs a coding loop on this machine: turn, gates, repair, commit.

  cdk-agentcore-workbench rehearse --app cdk.out [--loop PATH] --input input.json
  cdk-agentcore-workbench rehearse --repository DIR --agent 'COMMAND' --gate test='npm test' --prompt '...'
  cdk-agentcore-workbench rehearse --session ID --prompt '...'       goes on in a session's workspace
  cdk-agentcore-workbench rehearse sessions | stop ID | shell ID | logs ID
  cdk-agentcore-workbench --version

A loop of an app
  --app DIR            its cloud assembly, such as cdk.out
  --stack NAME         the stack in it, if there are several
  --loop PATH          path or logical id of the CodingLoop, if there are several
  --input FILE         JSON of the run's input: prompt, taskId, repository, session
  --agent COMMAND      serves /ping and /invocations on $PORT, instead of the image's own command; starts in the session's workspace

Any repository, any agent
  --repository DIR     a directory or URL with a git repository; a copy is worked on, the original is not touched
  --ref REF            branch, tag or commit to start from
  --agent COMMAND      the agent: reads the prompt from its standard input, changes files where it is started
  --gate NAME=COMMAND  what has to pass; may be given again
  --bootstrap COMMAND  makes the clone ready, such as 'npm ci'; may be given again
  --max-repairs N      how often the agent may repair (3)

Both
  --prompt TEXT        what the agent is to do
  --task ID            names the branch
  --session ID         goes on in the workspace of an earlier run
  --env NAME           passes a variable of yours on to the sessions; may be given again
  --sandbox KIND       namespace: this machine's programs, on Linux; container: those of an image, by docker, podman or finch;
                       auto: namespace where that works, else container (auto)
  --image NAME         what containers are made from, instead of the app's own image, which is built; means --sandbox container
  --user NUMBER        the user that sessions run as; 0 is root, as in the service; means --sandbox namespace (you)
  --command-mode MODE  how the emulated service reads the text of a command: strict, split (words, as a POSIX shell takes them) or shell;
                       what is sent means the same in each (strict)
  --state DIR          where sessions, copies and reports are kept (.rehearsal)
  --json               prints the record instead of the story
  --verbose            prints the handlers' logs too

Exit codes: 0 committed, or nothing to change; 1 red; 2 misuse; 3 infrastructure; 130 interrupted
`;

const COMMANDS = ['sessions', 'stop', 'shell', 'logs'] as const;

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [command, id, ...rest] = positionals;
  if (command !== undefined && !COMMANDS.includes(command as never)) {
    throw new MisuseError(`"${command}" is nothing that "rehearse" can do: ${COMMANDS.join(', ')} are, or options alone for a run`);
  }
  if (rest.length > 0) throw new MisuseError(`"${rest.join(' ')}" is too much: quote what belongs together`);
  if (command !== undefined && command !== 'sessions' && id === undefined) throw new MisuseError(`"rehearse ${command}" needs the id of a session: "rehearse sessions" lists them`);
  const input = values.input === undefined ? {} : inputFile(values.input);
  return {
    command: (command as Options['command'] | undefined) ?? 'run',
    id,
    target: targetOf(values),
    input: { ...input, ...defined({ prompt: values.prompt, taskId: values.task }) },
    sessionId: values.session,
    state: resolve(values.state),
    json: values.json,
    verbose: values.verbose,
  };
}

type Values = ReturnType<typeof parse>['values'];

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'app': { type: 'string' },
        'stack': { type: 'string' },
        'loop': { type: 'string' },
        'input': { type: 'string' },
        'repository': { type: 'string' },
        'ref': { type: 'string' },
        'agent': { type: 'string' },
        'gate': { type: 'string', multiple: true },
        'bootstrap': { type: 'string', multiple: true },
        'max-repairs': { type: 'string' },
        'prompt': { type: 'string' },
        'task': { type: 'string' },
        'session': { type: 'string' },
        'env': { type: 'string', multiple: true },
        'sandbox': { type: 'string', default: 'auto' },
        'image': { type: 'string' },
        'user': { type: 'string' },
        'command-mode': { type: 'string' },
        'state': { type: 'string', default: '.rehearsal' },
        'json': { type: 'boolean', default: false },
        'verbose': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new MisuseError((error as Error).message);
  }
}

function targetOf(values: Values): Target {
  const maxRepairs = values['max-repairs'];
  if (maxRepairs !== undefined && !/^\d+$/.test(maxRepairs)) throw new MisuseError(`--max-repairs is "${maxRepairs}": a whole number from 0 to 20 is allowed`);
  const missing = (values.env ?? []).filter((name) => process.env[name] === undefined);
  if (missing.length > 0) throw new MisuseError(`--env ${missing.join(', ')}: not set here`);
  return defined({
    app: values.app === undefined ? undefined : directory(values.app, '--app', 'run "cdk synth" first'),
    stack: values.stack,
    loop: values.loop,
    repository: values.repository === undefined || !existsSync(values.repository) ? values.repository : resolve(values.repository),
    ref: values.ref,
    agent: values.agent,
    gates: values.gate?.map(gateOf),
    bootstrap: values.bootstrap,
    maxRepairs: maxRepairs === undefined ? undefined : Number(maxRepairs),
    env: values.env,
    commandMode: commandModeOf(values['command-mode']),
    ...sandboxOf(values),
  });
}

function sandboxOf({ sandbox, image, user }: Values): Pick<Target, 'sandbox' | 'image' | 'user'> {
  const kind = SANDBOXES.find((known) => known === sandbox);
  if (kind === undefined && sandbox !== 'auto') throw new MisuseError(`--sandbox is "${sandbox}": ${SANDBOXES.join(', ')} or auto is allowed`);
  if (kind === 'namespace' && image !== undefined) throw new MisuseError('--image is for containers: leave out --sandbox namespace, which has the programs of this machine');
  if (user === undefined) return image === undefined ? { sandbox: kind } : { sandbox: 'container', image };
  if (!/^\d{1,9}$/.test(user)) throw new MisuseError(`--user is "${user}": the number of a user is allowed, such as 0 for root, or what "id -u" prints`);
  if (kind === 'container' || image !== undefined) throw new MisuseError('--user is for namespaces: a container has the user of its image');
  return { sandbox: 'namespace', user: Number(user) };
}

function commandModeOf(mode: string | undefined): CommandMode | undefined {
  const known = COMMAND_MODES.find((each) => each === mode);
  if (known === undefined && mode !== undefined) throw new MisuseError(`--command-mode is "${mode}": ${COMMAND_MODES.join(', ')} are allowed`);
  return known;
}

function gateOf(text: string): { name: string; command: string } {
  const match = /^([^=]+)=(.+)$/s.exec(text);
  if (!match) throw new MisuseError(`--gate is "${text}": write NAME=COMMAND, such as test='npm test'`);
  return { name: match[1].trim(), command: match[2] };
}

function inputFile(file: string): Partial<RehearsalInput> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<RehearsalInput>;
  } catch (error) {
    throw new MisuseError(`--input ${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}

function directory(path: string, option: string, hint: string): string {
  if (!existsSync(path)) throw new MisuseError(`${option} ${path}: there is no such directory; ${hint}`);
  return resolve(path);
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
