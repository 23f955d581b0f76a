import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Agent, AgentCoreServer, AgentCoreServerProps, Fault, FaultSpec, MovableClock } from './agentcore';
import { removeTree } from './agentcore/remove-tree';
import { maskOf } from './common/mask-values';
import { findLoop, LocalDeployment, LoopDescription } from './deployment';
import { RolloutBeginning, RolloutOptions, rolloutsOf } from './rollout/rollout';
import { agentOfImage, imageOfRuntime } from './run/image-agent';
import type { RehearsalInput } from './run/input';
import { DefinedAgent, LocalAgent } from './run/local-agent';
import { ForgeOptions, LocalForge } from './run/local-forge';
import { LocalRepository, RepositoryError } from './run/local-repository';
import { LocalRun, RunContext, RunOptions } from './run/local-run';
import { Lock } from './run/lock';
import { loopAgent, LoopLocation } from './run/loop-image';
import { RehearsalRecord, SandboxDescription } from './run/record';
import { SshAgent } from './run/ssh-agent';
import { stateDirectory } from './run/state-directory';
import { storageForecast } from './run/storage-forecast';
import { checkSupport } from './run/support';
import { builtName, SandboxDriver, SandboxMount } from './sandbox';
import { Executions } from './stepfunctions';
import type { Mask } from '../src/handler/mask';
import { ENVIRONMENT } from '../src/jobs/constants';
import { CACHES_ON_EPHEMERAL_DISK } from '../src/jobs/job';
import type { RolloutDescription } from '../src/journal/rollout-description';
import { checkRepositoryOfInput } from '../src/loop/steps/input';

export interface RehearsalProps extends LoopLocation {
  /**
   * The agent that runs in place of the runtime's image: a function, a program with the container contract, which starts in the workspace unless
   * `workingDirectory` is set, or the definition of a coding agent whose program is on this machine.
   * @default - the image's own command, on this machine
   */
  readonly agent?: Agent | DefinedAgent;
  /**
   * Directory or URL of the repository. The run works on a bare copy of it and pushes there; the original is not changed.
   * @default - the loop's own, or that of a run's input
   */
  readonly repository?: string;
  /**
   * The state of the repository at the forge, for a loop that has one. Credentials are made up.
   * @default - private if sessions read it with a token of the forge, without rules of its own
   */
  readonly forge?: ForgeOptions;
  /** The number of commits to clone, with their contents; 0 for all. @default - as the loop's `GitRepository` says */
  readonly depth?: number;
  /** Directory that keeps sessions from one rehearsal to the next. @default - a temporary directory, which is removed at the end */
  readonly stateDirectory?: string;
  /** Environment variables of the sessions, in addition to those of the template. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The server's behavior where the service's documentation does not define it. */
  readonly server?: Pick<AgentCoreServerProps, 'commandMode' | 'leftovers' | 'onDisconnect' | 'onSessionEnd' | 'timedOutExitCode'>;
  /** The sandbox of the sessions, from `chooseSandbox`. @default - Linux namespaces, with the programs of this machine */
  readonly sandbox?: SandboxDriver;
  /** Directories of this machine that sessions see at the same path. */
  readonly sharedDirectories?: readonly string[];
  /** Directory of this machine for the caches of sessions, which the next session uses, too. @default - caches are lost with the session's disk */
  readonly cacheDirectory?: string;
  /** Socket of an ssh agent that sessions may sign with, such as `SSH_AUTH_SOCK`. @default - none */
  readonly sshAgentSocket?: string;
  /** Aborts the start, which then rejects with the reason of the signal. Has no effect after the start. */
  readonly signal?: AbortSignal;
  /** Called for each rollout before its smoke tests start. */
  readonly onRollout?: (rollout: RolloutBeginning) => void;
  /** Called for each line that a function writes to its log. */
  readonly onLog?: (functionLogicalId: string, line: string) => void;
}

/** A session that never runs, to ask what the mounts of one would be. */
const NO_SESSION = 'a-session-that-is-only-asked-for-its-mounts';

/** The handlers wait minutes for the service, such as three for a container that does not start: on one machine, a tenth of that is enough. */
const PACE = { [ENVIRONMENT.BACKOFF_SECONDS]: '0.1' };

/**
 * A `CodingLoop` of a synthesized app on this machine: the template's own state machine, the handlers' own bundles, real bash
 * and git in sandboxes, and an emulated AgentCore. Nothing that it does leaves the machine.
 *
 * A `RuntimeRollout` of the loop's runtime runs first, as in a deployment: its own handlers create the version's endpoint and test it. If the version
 * does not pass, the start fails.
 */
export class Rehearsal implements RunContext {
  static async start(props: RehearsalProps): Promise<Rehearsal> {
    const directory = stateDirectory(props.stateDirectory);
    const lock = Lock.take(directory);
    let server: AgentCoreServer | undefined;
    let deployment: LocalDeployment | undefined;
    let sshAgent: SshAgent | undefined;
    let forge: LocalForge | undefined;
    try {
      const clock = new MovableClock();
      const copies = join(directory, 'repositories');
      mkdirSync(copies, { recursive: true });
      const local = localAgent(props, directory);
      const agent = props.agent !== undefined && 'definition' in props.agent ? local?.server : props.agent;
      sshAgent = props.sshAgentSocket === undefined ? undefined : await SshAgent.forward(props.sshAgentSocket);
      server = await AgentCoreServer.start({
        ...props.server,
        stateDirectory: join(directory, 'agentcore'),
        clock,
        sandbox: props.sandbox,
        environment: { ...props.environment, ...sshAgent?.environment, ...local?.environment },
        mounts: [...cacheMounts(props), ...sshAgent === undefined ? [] : [sshAgent.mount]],
        sharedDirectories: [copies, ...programsOf(props.assembly, agent, local), ...props.sharedDirectories ?? []],
        agentFor: ({ arn }) => givenAgent() ?? imageAgent(arn),
      });
      const running = new Set<LocalRun>();
      const onLog = (name: string, line: string) => {
        props.onLog?.(name, line);
        running.forEach(({ journal }) => journal.hearDriver(line));
      };
      const executions = new Executions(join(directory, 'executions'));
      const made = deployment = LocalDeployment.start({
        assembly: props.assembly, stack: props.stack, server, executions, onLog, environment: PACE, files: directory,
      });
      const loop = findLoop(deployment, props.loop);
      checkSupport(deployment, loop, { agent, sandbox: props.sandbox });
      forge = await LocalForge.start(join(directory, 'forge'), deployment, loop, props.forge);
      const rollouts = rolloutsOf(deployment, loop);
      // A loop whose agent is a program asks nobody else; and what its image runs may not be on this machine.
      const isAsked = loop.agentCommand === undefined || rollouts.some(({ invokes }) => invokes);
      const ownAgent = (arn: string) => agentOfSandbox(props.sandbox) ?? agentOfRuntime(made, arn);
      const imageAgent = (arn: string) => isAsked ? ownAgent(arn) : undefined;
      const givenAgent = () => agent && { workingDirectory: loop.mount, ...agent };
      const rolledOut: RolloutDescription[] = [];
      const rolling: RolloutOptions = {
        signal: props.signal,
        programs: programsIn(props.sandbox, made, loop),
        otherAgent: props.agent !== undefined,
        mask: maskOf(props.environment),
        onBegin: props.onRollout,
      };
      for (const rollout of rollouts) rolledOut.push(await rollout.run(rolling));
      props.signal?.throwIfAborted();
      // Once more: it now knows the names of endpoints.
      return new Rehearsal(props, directory, lock, server, clock, deployment, findLoop(deployment, loop.path), rolledOut, running, sshAgent, forge);
    } catch (error) {
      await deployment?.close();
      await forge?.close();
      await server?.close();
      sshAgent?.close();
      lock.release();
      if (props.stateDirectory === undefined) removeTree(directory);
      throw error;
    }
  }

  private closed?: Promise<void>;
  /** Masks the values of the environment variables that the sessions were given. */
  readonly mask: Mask;
  /** Environment of the sessions, in addition to that of the template. */
  readonly environment: RehearsalProps['environment'];

  private constructor(
    private readonly props: RehearsalProps,
    readonly directory: string,
    private readonly lock: Lock,
    readonly server: AgentCoreServer,
    /** The clock of the sessions, which can be advanced. */
    readonly clock: MovableClock,
    readonly deployment: LocalDeployment,
    readonly loop: LoopDescription,
    /** The rollouts that ran at the start. */
    readonly rollouts: readonly RolloutDescription[],
    private readonly running: Set<LocalRun>,
    private readonly sshAgent: SshAgent | undefined,
    /** The forge of the loop's repository, if it has one. */
    readonly forge: LocalForge | undefined,
  ) {
    this.environment = props.environment;
    this.mask = maskOf(props.environment);
    // On a copy of the repository, as any run of a rehearsal.
    deployment.starter = (id, input, name) => (
      id === loop.logicalId ? this.begin(input as RehearsalInput, { name }).then(({ arn }) => arn) : undefined);
  }

  /** The number of commits to clone, if it is not the one of the loop. */
  get depth(): number | undefined {
    return this.props.depth;
  }

  get sandbox(): SandboxDescription {
    const { name = 'namespace', tool, image, runsAs: user } = this.props.sandbox ?? {};
    return { kind: name, tool, image: image?.name, user };
  }

  /** Injects a fault into the next matching call. */
  inject(fault: FaultSpec): Fault {
    return this.server.faults.add(fault);
  }

  /** Performs a run, and returns its record, whether it succeeded or not. Rejects only for faults of the rehearsal itself. */
  async run(input: RehearsalInput, options: RunOptions = {}): Promise<RehearsalRecord> {
    return (await this.begin(input, options)).record;
  }

  /** Starts a run that can be followed and interrupted. */
  async begin(input: RehearsalInput, options: RunOptions = {}): Promise<LocalRun> {
    const repository = await this.repository(input);
    const ref = input.repository?.ref ?? this.loop.repository?.ref;
    // A reference that is not there is said by the run.
    const foreseen = this.isOnSessionStorage ? await storageForecast(repository, ref).catch(() => []) : [];
    if (this.closed) throw new Error('the rehearsal has ended');
    const run = new LocalRun(this, repository, input, { ...options, foreseen });
    this.running.add(run);
    void run.record.finally(() => this.running.delete(run)).catch(() => undefined);
    return run;
  }

  /** Stops all sessions and functions, without leaving a process, mount or lock. Workspaces are kept if there is a `stateDirectory`. */
  async close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  private async end(): Promise<void> {
    try {
      await Promise.all([...this.running].map((run) => run.interrupt()));
      await this.deployment.close();
      await this.forge?.close();
      await this.server.close();
    } finally {
      this.sshAgent?.close();
      this.lock.release();
      if (this.props.stateDirectory === undefined) removeTree(this.directory);
    }
  }

  private get isOnSessionStorage(): boolean {
    const { runtimeArn, mount, endpointName } = this.loop;
    const source = this.server.mounts(runtimeArn, NO_SESSION, endpointName).find(({ target }) => target === mount)?.source;
    return source === this.server.workspaceDirectory(runtimeArn, NO_SESSION, endpointName);
  }

  private async repository(input: RehearsalInput): Promise<LocalRepository> {
    const named = input.repository?.url;
    // A directory of this machine is named for the rehearsal; anything else would be named for a real run too.
    if (named !== undefined && !existsSync(named)) checkNamed(named, this.loop);
    const source = this.props.repository ?? named ?? this.loop.repository?.url;
    if (source === undefined) {
      throw new RepositoryError(`loop ${this.loop.path} has no repository of its own: name one in the input, or with "repository" (--repository)`);
    }
    return LocalRepository.copy(source, this.forge?.copies ?? join(this.directory, 'repositories'));
  }
}

/** Refuses what the loop's first step would refuse, before anything is copied. */
function checkNamed(url: string, loop: LoopDescription): void {
  try {
    checkRepositoryOfInput(url, loop);
  } catch (error) {
    throw new RepositoryError((error as Error).message);
  }
}

/** The image's own command in its own sandbox. */
function agentOfSandbox(sandbox: SandboxDriver | undefined): Agent | undefined {
  return sandbox?.image?.command.length ? sandbox.image : undefined;
}

function agentOfRuntime(deployment: LocalDeployment, runtimeArn: string): Agent | undefined {
  const found = [...deployment.runtimes].find(([, arn]) => arn === runtimeArn);
  return found && agentOfImage(deployment.stack, found[0]);
}

/** The mount of the caches of a loop's commands. */
function cacheMounts({ cacheDirectory }: RehearsalProps): SandboxMount[] {
  if (cacheDirectory === undefined) return [];
  mkdirSync(cacheDirectory, { recursive: true });
  return [{ source: resolve(cacheDirectory), target: CACHES_ON_EPHEMERAL_DISK.XDG_CACHE_HOME }];
}

/** Determines whose programs the sessions of a loop have. */
function programsIn(sandbox: SandboxDriver | undefined, deployment: LocalDeployment, { runtimeArn }: LoopDescription): RolloutOptions['programs'] {
  if (sandbox?.image === undefined) return 'MACHINE';
  const [logicalId] = [...deployment.runtimes].find(([, arn]) => arn === runtimeArn) ?? [];
  const own = logicalId === undefined ? undefined : imageOfRuntime(deployment.stack, logicalId);
  return own !== undefined && builtName(own) === sandbox.image.name ? 'OWN_IMAGE' : 'OTHER_IMAGE';
}

/** The directories of the agent's program that a sandbox would not see because it has its own. */
function programsOf(assembly: string, agent: Agent | undefined, local: LocalAgent | undefined): string[] {
  const started = agent !== undefined && 'command' in agent ? agent.workingDirectory : undefined;
  return [assembly, started, local?.directory].filter((directory) => directory !== undefined)
    .map((directory) => resolve(directory)).filter((directory) => /^\/(tmp|var\/tmp|mnt|run|dev)\//.test(directory));
}

/** Installs the runner of the agent that is given by its definition, or that the app's image has. A container has its own. */
function localAgent(props: RehearsalProps, directory: string): LocalAgent | undefined {
  const { agent, sandbox, environment = {} } = props;
  if (agent === undefined || !('definition' in agent)) {
    const definition = sandbox?.image === undefined ? loopAgent(props) : undefined;
    return definition && LocalAgent.install(directory, { definition });
  }
  if (sandbox?.image === undefined) return LocalAgent.install(directory, { definition: agent.definition, models: environment });
  throw new Error(`the agent "${agent.definition.program}" needs the programs of this machine, and sessions have those of ${sandbox.image.name}: `
    + 'rehearse with namespaces (--sandbox namespace), or an app whose image is made by AgentImage.forAgent');
}
