import { randomUUID } from 'node:crypto';
import { join, relative } from 'node:path';
import type { ForgeDescription } from './forge-description';
import type { RehearsalInput } from './input';
import type { LocalForge } from './local-forge';
import { LocalRepository } from './local-repository';
import type { RehearsalRecord, SandboxDescription, SessionDescription } from './record';
import { Withheld } from './withheld';
import { WorkspaceOutputs } from './workspace-outputs';
import type { Mask } from '../../src/handler/mask';
import { ERRORS } from '../../src/jobs/constants';
import { Journal, JournalListener } from '../../src/journal/journal';
import { endingOf } from '../../src/journal/results';
import type { RolloutDescription } from '../../src/journal/rollout-description';
import type { CallDescription } from '../../src/journal/run-description';
import { GIT_FOLDER, STEPS } from '../../src/loop/steps/constants';
import type { RunRecord } from '../../src/loop/steps/records';
import { ownSession, sessionOf } from '../../src/loop/steps/sessions';
import type { RunIdentity } from '../../src/loop/steps/state';
import type { AgentCoreServer, Call } from '../agentcore';
import { agentStartOf } from '../agentcore/describe-start-failure';
import { secretsOf } from '../common/mask-values';
import { executionEnded, type LocalDeployment, type LoopDescription } from '../deployment';
import type { SandboxMount } from '../sandbox';
import type { ExecutionResult, LocalExecution } from '../stepfunctions';

/** Uncommitted files that a record names. */
const UNCOMMITTED_NAMES = 5;

export interface RunOptions {
  /** Name of the execution. @default - a random one */
  readonly name?: string;
  /** Hears of each step as it happens. */
  readonly listener?: JournalListener;
  /** Milliseconds before each retry. @default - as the state machine says */
  readonly retryDelay?: number;
  /** Problems that are known before the run starts. They are among the warnings of its record. */
  readonly foreseen?: readonly string[];
}

/** The parts of a rehearsal that a run uses. */
export interface RunContext {
  readonly loop: LoopDescription;
  readonly server: AgentCoreServer;
  readonly deployment: LocalDeployment;
  /** The rollouts of the rehearsal's start. */
  readonly rollouts: readonly RolloutDescription[];
  readonly sandbox: SandboxDescription;
  /** Environment of the sessions, in addition to that of the template. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Hides the values of that environment. */
  readonly mask: Mask;
  /** The forge of the loop's repository. */
  readonly forge?: LocalForge;
  /** Number of commits to clone. @default - as the loop says */
  readonly depth?: number;
}

/** One run of a loop, under way or at its end. */
export class LocalRun {
  readonly name: string;
  readonly taskId: string;
  readonly journal: Journal;
  /** Settles when the run has ended, in whatever way. */
  readonly record: Promise<RehearsalRecord>;
  private readonly execution: LocalExecution;
  private readonly ref?: string;
  private readonly startedAt = new Date();
  private readonly uncommitted: Promise<string[]>;
  private readonly firstCall: number;
  private readonly withheld: Withheld;
  private readonly served?: { readonly fullName: string; readonly url: string; readonly requests: number };
  readonly foreseen: readonly string[];
  private readonly stateInput: Omit<RehearsalInput, 'repository'> & { readonly taskId: string };

  constructor(private readonly rehearsal: RunContext, private readonly repository: LocalRepository, input: RehearsalInput, options: RunOptions) {
    const { loop, server, deployment } = rehearsal;
    this.name = options.name ?? `rehearsal-${this.startedAt.toISOString().replace(/\D/g, '').slice(0, 14)}-${randomUUID().slice(0, 6)}`;
    this.taskId = input.taskId ?? this.name;
    this.firstCall = server.calls.all.length;
    this.journal = new Journal({
      loop,
      listener: options.listener,
      outputs: new WorkspaceOutputs({
        mount: loop.mount,
        fileOf: (path, session) => this.fileOf(path, session),
        logOf: (session) => server.logs.read({ runtimeId: this.runtimeId, endpoint: session.endpointName ?? 'DEFAULT', sessionId: session.id }),
      }),
      session: () => this.session,
      execution: () => this.execution.arn,
    }, rehearsal.mask);
    this.foreseen = options.foreseen ?? [];
    this.uncommitted = repository.uncommitted(); // as the run begins, since that is what it does not see
    this.withheld = new Withheld(secretsOf(rehearsal.environment), () => this.fileOf(`${loop.mount}/${GIT_FOLDER}`, this.session));
    const { forge } = rehearsal;
    this.served = forge && { ...forge.serve(repository, input.repository?.url ?? loop.repository?.url), requests: forge.server.requests.length };
    this.ref = input.repository?.ref ?? loop.repository?.ref;
    const { repository: _, ...rest } = input;
    this.stateInput = { ...rest, taskId: this.taskId };
    this.execution = deployment.startExecution(loop.logicalId, {
      ...this.stateInput,
      ...(input.repository?.ref === undefined ? {} : { repository: { ref: input.repository.ref } }),
    }, {
      name: this.name,
      tellsEnd: true,
      onEvent: this.journal.hear,
      retryDelay: options.retryDelay,
      rewrite: (parameters) => this.onCopy(parameters),
      before: this.withheld.check,
    });
    this.journal.skipLog(); // of earlier runs in the session
    this.record = this.execution.result.then((result) => this.ended(result));
  }

  /** The loop works on a copy of its repository, so that nothing is pushed to where others see it; and with another depth, if that is asked for. */
  private onCopy(parameters: unknown): unknown {
    const request = parameters as { readonly operation?: string; readonly config?: object };
    const { depth } = this.rehearsal;
    if (request.config === undefined || !Object.values<unknown>(STEPS).includes(request.operation)) return parameters;
    const config = depth === undefined ? request.config : { ...request.config, depth, history: false };
    if (request.operation !== STEPS.PREPARE) return { ...request, config };
    const repository = { url: this.served?.url ?? this.repository.url, ...(this.ref === undefined ? {} : { ref: this.ref }) };
    return { ...request, config: { ...config, repository } };
  }

  /** ARN of the execution. */
  get arn(): string {
    return this.execution.arn;
  }

  /** Known from the beginning: it is made of the execution's name. */
  get sessionId(): string {
    return this.session.id;
  }

  private get session(): RunIdentity['session'] {
    if (this.journal.run !== undefined) return this.journal.run.session;
    const { endpointName } = this.rehearsal.loop;
    return sessionOf(this.execution.arn, this.stateInput, endpointName)?.session ?? ownSession(this.execution.arn, endpointName);
  }

  /** Ends the execution, and its session as an event rule of the stack would. */
  async interrupt(): Promise<void> {
    this.execution.abort();
    await this.record.catch(() => undefined);
  }

  private get runtimeId(): string {
    return this.rehearsal.loop.runtimeArn.split('/').pop()!;
  }

  private mountsOf({ id, endpointName }: RunIdentity['session']): readonly SandboxMount[] {
    return this.rehearsal.server.mounts(this.rehearsal.loop.runtimeArn, id, endpointName);
  }

  /** Returns the path on this machine of a path in the session, or `undefined` for what was on the session's own disk. */
  private fileOf(path: string, session: RunIdentity['session']): string | undefined {
    const mount = this.mountsOf(session).find(({ target }) => `${path}/`.startsWith(`${target}/`));
    return mount && join(mount.source, relative(mount.target, path));
  }

  private describeSession(): SessionDescription {
    const { rehearsal: { loop, sandbox }, session } = this;
    return { ...session, runtimeArn: loop.runtimeArn, mount: loop.mount, workspace: this.fileOf(loop.mount, session) ?? '', mounts: this.mountsOf(session), sandbox };
  }

  private describeForge(commit: RunRecord['commit']): ForgeDescription | undefined {
    if (this.served === undefined) return undefined;
    const { fullName, requests } = this.served;
    return this.rehearsal.forge!.describe(fullName, { requests, time: this.startedAt }, commit);
  }

  private async ended(result: ExecutionResult): Promise<RehearsalRecord> {
    const { loop, server, deployment, mask } = this.rehearsal;
    if (result.status !== 'SUCCEEDED') {
      await deployment.notifyEnd(executionEnded(this.execution.arn, JSON.stringify(this.stateInput), result));
    }
    const { output, outcome, error } = endingOf(result);
    const { run, steps, path, transitions } = this.journal;
    // An agent that did not even start has a log to look at.
    const isSessionUsed = run !== undefined || steps.some(({ log }) => log !== undefined);
    const { id: sessionId, endpointName } = this.session;
    const uncommitted = await this.uncommitted;
    const starts = server.startFailures.of(sessionId);
    const calls = server.calls.all.slice(this.firstCall).filter((call) => call.sessionId === sessionId);
    const head = await this.repository.head(this.ref).catch(() => this.repository.head()); // there may be no such reference
    const commit = output?.commit && {
      ...await this.repository.describe(output.commit.id),
      branch: output.commit.branch,
      commits: output.upstream === undefined ? [] : await this.repository.commitsOf(output.commit.id, output.upstream.base),
    };
    return {
      id: this.name,
      loop: loop.path,
      outcome,
      error: mask(error),
      agentStart: error?.name === ERRORS.CONTAINER && starts.length > 0 ? agentStartOf(starts, mask) : undefined,
      startedAt: this.startedAt.toISOString(),
      seconds: (Date.now() - this.startedAt.getTime()) / 1_000,
      input: { prompt: mask(this.stateInput.prompt), taskId: this.taskId },
      output: output && { ...mask(output), session: output.session },
      steps: mask(steps),
      path,
      transitions,
      definition: loop.definition,
      repository: {
        source: this.repository.source,
        copy: this.repository.directory,
        ...head,
        uncommittedFiles: uncommitted.length,
        uncommittedNames: uncommitted.slice(0, UNCOMMITTED_NAMES),
      },
      commit: commit && { ...commit, ...mask({ message: commit.message, commits: commit.commits, stat: commit.stat, patch: commit.patch }) },
      forge: mask(this.describeForge(output?.commit)),
      session: isSessionUsed ? this.describeSession() : undefined,
      calls: calls.map(describeCall),
      rollouts: this.rehearsal.rollouts,
      faults: calls.flatMap(({ operation, faults }) => faults.map((fault) => `${fault} in ${operation}`)),
      warnings: [...this.foreseen, ...await server.warningsOf(loop.runtimeArn, sessionId, endpointName)],
      missingPermissions: [...deployment.authorizer.missing],
      withheld: this.withheld.names.length === 0 ? undefined : [...this.withheld.names],
      sessionSeconds: secondsBetween(calls),
    };
  }
}

/** From the first request of a session to the end of the last. */
function secondsBetween(calls: readonly Call[]): number {
  const end = Math.max(...calls.map(({ finishedAt, receivedAt }) => finishedAt ?? receivedAt));
  return calls.length === 0 ? 0 : (end - calls[0].receivedAt) / 1_000;
}

function describeCall({ operation, receivedAt, finishedAt = receivedAt, outcome }: Call): CallDescription {
  const ending = outcome?.error ?? (outcome?.cut ? 'cut off'
    : outcome?.exitCode !== undefined ? `${outcome.status}, exit code ${outcome.exitCode}`
      : `${outcome?.statusCode ?? 'open'}`);
  return { operation, milliseconds: finishedAt - receivedAt, outcome: ending };
}
