import { join } from 'node:path';
import { CurrentRun } from './current-run';
import { MisuseError, Options, Target } from './options';
import type * as ownApp from './own-app';
import { preflight } from './preflight';
import { RunStore } from './run-store';
import { Story } from './story';
import { Terminal } from './terminal';
import type { CommandAgent } from '../agentcore';
import { Rehearsal, RehearsalInput } from '../rehearsal';
import { reportOf } from '../report/report';
import { describeRollout } from '../rollout/describe';
import type { RehearsalRecord } from '../run/record';

export const EXIT = { COMMITTED: 0, RED: 1, MISUSE: 2, INFRASTRUCTURE: 3, INTERRUPTED: 130 } as const;

/** What the agent, the gates or the repository are to blame for; everything else is infrastructure. */
const RED_ERRORS = [
  'CodingLoop.Red', 'CodingLoop.Stuck', 'CodingLoop.Inert', 'CodingLoop.TurnFailed', 'CodingLoop.BootstrapFailed', 'CodingLoop.SnapshotFailed',
  'CodingLoop.PushRejected', 'CodingLoop.TimedOut', 'Workbench.AgentFailed', 'Workbench.InvokeTimedOut',
];
const MISUSE_ERRORS = ['CodingLoop.BadInput', 'CodingLoop.SessionBusy', 'CodingLoop.CheckoutFailed'];

export function exitCodeOf({ outcome, error, missingPermissions }: Pick<RehearsalRecord, 'outcome' | 'error' | 'missingPermissions'>): number {
  // Even if the loop got around it: what it could not do is not done.
  if (missingPermissions.length > 0) return EXIT.INFRASTRUCTURE;
  if (outcome === 'INTERRUPTED') return EXIT.INTERRUPTED;
  if (error === undefined) return EXIT.COMMITTED;
  return RED_ERRORS.includes(error.name) ? EXIT.RED : MISUSE_ERRORS.includes(error.name) ? EXIT.MISUSE : EXIT.INFRASTRUCTURE;
}

/** One run by the command line: a new one, or one that goes on in a session. */
export async function rehearse(options: Options, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Promise<number> {
  const store = new RunStore(options.state);
  const { target, input } = resume(options, store);
  checkTarget(target, input);
  await preflight(options.state);
  const assembly = target.app ?? ownAssembly(target, options.state);
  const terminal = new Terminal(options.json ? stderr : stdout);
  const rehearsal = await start(target, assembly, options, stderr);
  const interrupt = onInterrupt(terminal, rehearsal);
  try {
    const story = new Story(terminal);
    if (!options.json) await introduce(terminal, rehearsal, target, input);
    const run = await rehearsal.begin(input, { listener: options.json ? undefined : story });
    CurrentRun.write(options.state, { pid: process.pid, sessionId: run.sessionId, taskId: run.taskId, startedAt: new Date().toISOString() });
    const record = await run.record;
    await rehearsal.close();
    const files = store.save({ target, record }, reportOf(record));
    if (options.json) stdout.write(`${JSON.stringify({ ...record, definition: undefined, report: files.report }, undefined, 2)}\n`);
    else story.ended(record, files.report);
    return exitCodeOf(record);
  } finally {
    await rehearsal.close();
    CurrentRun.clear(options.state);
    terminal.settle();
    interrupt.dispose();
  }
}

/** The CDK takes a second to load, which a loop of an app need not wait for. */
function ownAssembly(target: Target, state: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be of all of it, at once
  const { synthesizeLoop } = require('./own-app') as typeof ownApp;
  return synthesizeLoop(target, state);
}

/** What would be without effect is refused, as what is missing is. */
function checkTarget({ app, stack, loop, repository, gates, bootstrap, maxRepairs }: Target, input: RehearsalInput): void {
  const given = (options: { readonly [option: string]: unknown }) => Object.keys(options).filter((option) => options[option] !== undefined);
  const [idle] = app === undefined ? given({ stack, loop }) : given({ 'gate': gates, bootstrap, 'max-repairs': maxRepairs });
  if (idle !== undefined) {
    throw new MisuseError(`--${idle} ${app === undefined ? 'chooses in an app: name one with --app' : 'is for a repository without an app, whose loop says it itself: leave one of them out'}`);
  }
  if (app === undefined && (repository ?? input.repository?.url) === undefined) {
    throw new MisuseError('--repository is missing: name the directory or URL that the agent is to work on, or give --app for a loop of your own');
  }
  if (input.prompt === undefined) throw new MisuseError('--prompt is missing: say what the agent is to do, here or in the file of --input');
  if (typeof input.prompt !== 'string') throw new MisuseError('"prompt" of --input is no text: put it in quotes');
}

/** What is asked for, together with what an earlier run of the session was asked for. */
function resume(options: Options, store: RunStore): { target: Target; input: RehearsalInput } {
  const input = { prompt: undefined as unknown as string, ...options.input };
  if (options.sessionId === undefined) return { target: options.target, input: startingFrom(options.target, input) };
  const session = store.session(options.sessionId);
  if (!session) throw new MisuseError(`--session ${options.sessionId}: there is no such session in ${options.state}; "rehearse sessions" lists them`);
  const last = session.runs[session.runs.length - 1];
  const { id, endpointName } = session;
  const target = { ...last.target, ...options.target };
  const goesOnIn = { id, ...(endpointName === undefined ? {} : { endpointName }) };
  return { target, input: startingFrom(target, { taskId: last.record.input.taskId, ...input, session: goesOnIn }) };
}

function startingFrom({ ref }: Target, input: RehearsalInput): RehearsalInput {
  return ref === undefined ? input : { ...input, repository: { ...input.repository, ref } };
}

async function start(target: Target, assembly: string, options: Options, stderr: NodeJS.WriteStream): Promise<Rehearsal> {
  return Rehearsal.start({
    assembly,
    stack: target.stack,
    loop: target.loop,
    repository: target.repository,
    agent: target.app === undefined ? undefined : agentOf(target),
    stateDirectory: options.state,
    environment: Object.fromEntries((target.env ?? []).map((name) => [name, process.env[name] ?? ''])),
    onLog: options.verbose ? (name, line) => void stderr.write(`${name}: ${line}\n`) : undefined,
  });
}

function agentOf({ agent }: Target): CommandAgent | undefined {
  return agent === undefined ? undefined : { command: ['bash', '-c', `exec ${agent}`], workingDirectory: process.cwd() };
}

async function introduce(terminal: Terminal, { loop, directory, rollouts }: Rehearsal, target: Target, { prompt }: RehearsalInput): Promise<void> {
  terminal.line(`${terminal.bold(loop.path)} rehearses${target.repository === undefined ? '' : ` on a copy of ${target.repository}`}`);
  terminal.line(`gates: ${loop.gates.map(({ name, command }) => `${name} (${command})`).join(', ')}; at most ${loop.maxRepairs} repairs`);
  terminal.line(`prompt: ${prompt.trim().split('\n')[0]}`);
  terminal.line(terminal.dim(`state: ${join(directory)}`));
  rollouts.forEach((rollout) => terminal.line(describeRollout(rollout)));
  terminal.line();
}

/** The first Ctrl-C ends the run in order; a second one, at once: even then the kernel ends the sandboxes. */
function onInterrupt(terminal: Terminal, rehearsal: Rehearsal): { dispose(): void } {
  let first = true;
  const interrupted = () => {
    if (!first) process.exit(EXIT.INTERRUPTED);
    first = false;
    terminal.line('interrupted: the session is being stopped, its workspace stays');
    void rehearsal.close();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, interrupted));
  return { dispose: () => signals.forEach((signal) => process.off(signal, interrupted)) };
}
