import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkedRun } from './checks';
import { CurrentRun } from './current-run';
import { Interrupt } from './interrupt';
import { missingInSessions } from './local-files';
import { Options, SandboxKind, Target } from './options';
import type * as ownApp from './own-app';
import { preflight } from './preflight';
import { RunStore } from './run-store';
import { ThisMachine } from './this-machine';
import { counted } from '../../src/handler/counted';
import { EXIT, exitCodeOf } from '../../src/journal/exit-codes';
import { reportOf } from '../../src/journal/report/report';
import { describeRollout } from '../../src/journal/rollout-description';
import type { Step, StepRetry } from '../../src/journal/step';
import { Story } from '../../src/journal/story';
import { Terminal } from '../../src/journal/terminal';
import { WORKSPACES } from '../../src/loop/steps/constants';
import type { CommandAgent } from '../agentcore';
import type { Faults } from '../common/misuse';
import { Rehearsal, RehearsalProps } from '../rehearsal';
import { describeBeginning } from '../rollout/describe';
import type { RolloutBeginning } from '../rollout/rollout';
import type { RehearsalInput } from '../run/input';
import { DefinedAgent, namedAgent } from '../run/local-agent';
import type { RehearsalRecord } from '../run/record';
import type { BuildOptions, SandboxDriver } from '../sandbox';

/** One run by the command line: a new one, or one that goes on in a session. */
export async function rehearse(options: Options, faults: Faults, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Promise<number> {
  const store = new RunStore(options.state);
  const { target, input } = await checkedRun(options, store, faults);
  const terminal = new Terminal(options.json ? stderr : stdout);
  const interrupt = new Interrupt(terminal, EXIT.INTERRUPTED);
  let rehearsal: Rehearsal | undefined;
  let ended = () => {};
  try {
    const hints = missingInSessions(target, process.cwd(), input.repository?.ref);
    hints.forEach((hint) => terminal.line(`warning: ${hint}`));
    terminal.waits('preparing …');
    const assembly = target.app ?? ownAssembly(target, options.state);
    const sandbox = await preflight(target, assembly, building(terminal, options, stderr, interrupt.signal));
    const onRollout = (rollout: RolloutBeginning) => terminal.waits(describeBeginning(rollout));
    rehearsal = await start(target, { assembly, sandbox, signal: interrupt.signal, onRollout }, options, stderr);
    interrupt.started(rehearsal);
    terminal.settle(); // a record alone has no line that would
    const story = new LiveStory(terminal, new ThisMachine(hints), interrupt.signal);
    if (!options.json) introduce(terminal, rehearsal, target, input);
    const run = await rehearsal.begin(input, { listener: options.json ? undefined : story });
    if (!options.json) run.foreseen.forEach((warning) => terminal.line(terminal.red(`warning: ${warning}`)));
    ended = CurrentRun.write(options.state, { sessionId: run.sessionId, taskId: run.taskId, startedAt: new Date().toISOString() });
    const record = toldIfEmptied(await run.record, options);
    await rehearsal.close();
    const files = store.save({ target: { ...target, sandbox: kindOf(sandbox) }, record }, reportOf(record));
    if (options.json) stdout.write(`${JSON.stringify({ ...record, definition: undefined, report: files.report }, undefined, 2)}\n`);
    else story.ended(record, files.report);
    if (!options.json) keptBeside(rehearsal, record).forEach((line) => terminal.line(line));
    return exitCodeOf(record);
  } catch (error) {
    interrupt.signal.throwIfAborted(); // it failed because it was ended
    throw error;
  } finally {
    await rehearsal?.close();
    ended();
    terminal.settle();
    interrupt.dispose();
  }
}

/** The story of a run that can be interrupted: what fails after that fails because of it. */
class LiveStory extends Story<RehearsalRecord> {
  constructor(terminal: Terminal, place: ThisMachine, private readonly signal: AbortSignal) {
    super(terminal, place);
  }

  retries(step: Step, retry: StepRetry): void {
    if (!this.signal.aborted) super.retries(step, retry);
  }
}

/** Returns where the files of a run are that a deployed one would have sent or written: only of a loop that has them. */
function keptBeside({ deployment: { files } }: Rehearsal, { output }: RehearsalRecord): string[] {
  const { bucket = '', prefix = '' } = output?.artifacts ?? {};
  return [
    ...bucket === '' ? [] : [`files      ${join(files.artifacts, bucket, prefix)}`],
    ...existsSync(files.events) ? [`events     ${files.events}`] : [],
  ];
}

/** Adds a warning for a user who continues in a session and expects its workspace to have contents. */
function toldIfEmptied(record: RehearsalRecord, { sessionId }: Options): RehearsalRecord {
  if (sessionId === undefined || record.output?.session.workspace !== WORKSPACES.NEW) return record;
  const warning = 'the workspace of the session was empty, so the repository was cloned again: a change of the runtime, or 14 days without a turn, had emptied it';
  return { ...record, warnings: [...record.warnings, warning] };
}

/** An image takes minutes, the first time: somebody may wonder. */
function building(terminal: Terminal, { verbose }: Options, stderr: NodeJS.WriteStream, signal: AbortSignal): BuildOptions {
  let told = false;
  return {
    signal,
    onOutput: (text) => {
      if (!told) terminal.line('building the image of the app, which is reused next time');
      told = true;
      if (verbose) stderr.write(text);
    },
  };
}

function kindOf({ name }: SandboxDriver): SandboxKind {
  return name === 'container' ? name : 'namespace';
}

/** The CDK takes a second to load, which a loop of an app need not wait for. */
function ownAssembly(target: Target, state: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load the CDK, which takes a second, for each run
  const { synthesizeLoop } = require('./own-app') as typeof ownApp;
  return synthesizeLoop(target, state);
}

type Prepared = Pick<RehearsalProps, 'assembly' | 'sandbox' | 'signal' | 'onRollout'>;

async function start(target: Target, prepared: Prepared, options: Options, stderr: NodeJS.WriteStream): Promise<Rehearsal> {
  return Rehearsal.start({
    ...prepared,
    stack: target.stack,
    loop: target.loop,
    repository: target.repository,
    depth: target.depth,
    agent: agentOf(target),
    stateDirectory: options.state,
    server: { commandMode: target.commandMode },
    environment: Object.fromEntries((target.env ?? []).map((name) => [name, process.env[name] ?? ''])),
    cacheDirectory: target.cache,
    sshAgentSocket: target.sshAgent ? process.env.SSH_AUTH_SOCK : undefined,
    onLog: options.verbose ? (name, line) => void stderr.write(`${name}: ${line}\n`) : undefined,
  });
}

/** A script or a prompt of several lines, for somebody who knows it. */
function onOneLine(text: string): string {
  const [first, ...more] = text.trim().split('\n');
  return more.length === 0 ? first : `${first} … and ${counted(more.length, 'more line')}`;
}

function repairs(most: number): string {
  return most === 0 ? 'no repairs allowed' : `at most ${counted(most, 'repair')}`;
}

/** Returns the agent of an app, or the one that its name stands for. A command without an app is a part of the loop. */
function agentOf({ app, agent }: Target): CommandAgent | DefinedAgent | undefined {
  const program = namedAgent(agent);
  if (program !== undefined) return { definition: { program } };
  return agent === undefined || app === undefined ? undefined : { command: ['bash', '-c', agent] };
}

function introduce(terminal: Terminal, rehearsal: Rehearsal, target: Target, { prompt }: RehearsalInput): void {
  const { loop, directory, rollouts, sandbox } = rehearsal;
  terminal.line(`rehearsing ${terminal.bold(loop.path)}${target.repository === undefined ? '' : ` on a copy of ${target.repository}`}`);
  terminal.line(`gates: ${loop.gates.map(({ name, command }) => `${name} (${onOneLine(command)})`).join(', ')}; ${repairs(loop.maxRepairs)}`);
  terminal.line(`prompt: ${onOneLine(rehearsal.mask(prompt))}`);
  terminal.line(terminal.dim(`state: ${directory}`));
  terminal.line(terminal.dim(`sandbox: ${sandbox.kind}${sandbox.image === undefined ? `, with this machine's programs${sandbox.user === undefined ? '' : `, as user ${sandbox.user}`}` : ` (${sandbox.tool}), with the programs of ${sandbox.image}`}`));
  if (target.sshAgent) terminal.line(terminal.dim('sessions can use your ssh agent'));
  rollouts.forEach((rollout) => terminal.line(describeRollout(rollout)));
  terminal.line();
}
