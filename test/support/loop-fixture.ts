import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { deviationsFromSchema } from './record-schema';
import { deviationsOf } from './run-page';
import { loadHandler } from './session-driver';
import { AgentHandler, AgentCoreServer, AgentCoreServerProps, MovableClock } from '../../rehearsal/agentcore';
import { LocalDeployment, LocalDeploymentProps } from '../../rehearsal/deployment';
import { ExecutionEvent, ExecutionOptions, ExecutionResult } from '../../rehearsal/stepfunctions';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, Verification } from '../../src';
import type { AgentRecord } from '../../src/loop/steps/agent-record';
import { CostRecord } from '../../src/loop/steps/operate-records';
import { Feedback, GateRecord } from '../../src/loop/steps/records';
import { ownSession } from '../../src/loop/steps/sessions';

export interface LoopFixtureProps {
  /** The agent's work in a turn, as a shell script that runs in the clone. Turns are numbered from 0 across the whole test. */
  readonly agent?: string | ((turn: number, payload: TurnPayload) => string) ;
  /** The files of the repository. */
  readonly files?: { readonly [path: string]: string };
  /** A shell script that prepares the repository further, after its files are added and before they are committed. */
  readonly seed?: string;
  /** More props of the loop; all sandboxes share the directory with this machine. */
  readonly loop?: Partial<CodingLoopProps> | ((shared: string) => Partial<CodingLoopProps>);
  /** The service's behaviour where its documentation says nothing. */
  readonly service?: Pick<AgentCoreServerProps, 'commandMode'>;
  /** More props of the deployment. */
  readonly deployment?: Pick<LocalDeploymentProps, 'secrets' | 'environment'>;
}

export interface TurnPayload {
  readonly prompt: string;
  readonly taskId: string;
  readonly round: number;
  readonly workspace: string;
  readonly feedback?: {
    readonly gate: string;
    readonly verdict: string;
    readonly output: string;
    readonly changedFiles?: string[];
    readonly unchanged?: boolean;
    readonly cleanCheckout?: boolean;
    readonly findings?: object;
  };
}

/** If set, handlers run from source in the test's own process: coverage does not reach a bundle in another process. */
export const IN_PROCESS = 'WORKBENCH_HANDLERS_IN_PROCESS';

const FILES = {
  'value.txt': 'wrong\n',
  'test.sh': '#!/bin/bash\necho "value is $(cat value.txt)"\n[[ $(cat value.txt) == right ]]\n',
  '.gitignore': 'ignored/\n',
};

/** A loop as it would be deployed, running on this machine with a bare repository as its remote. */
export class LoopFixture {
  static async start(props: LoopFixtureProps = {}): Promise<LoopFixture> {
    const directory = mkdtempSync(join(tmpdir(), 'loop-'));
    const server = await AgentCoreServer.start({
      stateDirectory: join(directory, 'state'), clock: new MovableClock(), sharedDirectories: [join(directory, 'shared')], ...props.service,
    });
    return new LoopFixture(directory, server, props);
  }

  readonly turns: TurnPayload[] = [];
  readonly logs: string[] = [];
  readonly remote: string;
  readonly shared: string;
  /** The directory of the cloud assembly. */
  readonly assembly: string;
  readonly deployment: LocalDeployment;
  entered: string[] = [];

  private constructor(
    private readonly directory: string,
    readonly server: AgentCoreServer,
    private readonly props: LoopFixtureProps,
    private readonly first?: LoopFixture,
  ) {
    this.shared = join(directory, 'shared');
    this.remote = join(this.shared, 'remote.git');
    if (first === undefined) this.makeRemote({ ...FILES, ...props.files });
    const { loop = {} } = props;
    this.assembly = first?.assembly ?? synth(directory, this.remote, typeof loop === 'function' ? loop(this.shared) : loop);
    this.deployment = LocalDeployment.start({
      assembly: this.assembly,
      server,
      executions: first?.deployment.executions,
      files: first?.deployment.files.directory,
      agent: { handler: this.agent },
      secrets: props.deployment?.secrets,
      environment: { WORKBENCH_BACKOFF_SECONDS: '0', ...props.deployment?.environment },
      onLog: (_, line) => this.logs.push(line),
    });
    if (IN_PROCESS in process.env) callInProcess(this.deployment, server.endpoint, props.deployment?.environment);
  }

  /** Returns the same loop with its own functions, so that they can die without affecting others. */
  another(): LoopFixture {
    return new LoopFixture(this.directory, this.server, this.props, this);
  }

  /** The ARN of the only runtime. */
  get runtimeArn(): string {
    return [...this.deployment.runtimes.values()][0];
  }

  async run(input: object = {}, options: ExecutionOptions = {}): Promise<ExecutionResult & { readonly record: RunRecord }> {
    this.entered = [];
    const onEvent = (event: ExecutionEvent) => {
      if (event.type === 'StateEntered') this.entered.push(event.state.name);
      options.onEvent?.(event);
    };
    const result = await this.deployment.run(undefined, { prompt: 'Make it right', taskId: 'task-1', ...input }, { retryDelay: 0, ...options, onEvent });
    const record = result.status === 'SUCCEEDED' ? result.output : safeJson(result.cause);
    const isRecord = typeof record === 'object' && record !== null && 'outcome' in record;
    const deviations = isRecord ? [...deviationsOf(record), ...deviationsFromSchema('run-record', record)] : [];
    if (deviations.length > 0) throw new Error(`the record is not as docs/run.md and its schema say: ${deviations.join('; ')}`);
    return { ...result, record: record as RunRecord };
  }

  git(...args: string[]): string {
    return execFileSync('git', ['--git-dir', this.remote, ...args], { encoding: 'utf8' });
  }

  /** Returns the content of a file in a commit of the remote. */
  show(ref = 'workbench/task-1', path = 'value.txt'): string {
    return this.git('show', `${ref}:${path}`);
  }

  /** Returns the session that the execution with this name creates. */
  sessionOf(name: string): { readonly id: string } {
    return ownSession(this.executionOf(name));
  }

  /** Returns the ARN of an execution of the loop. */
  executionOf(name: string): string {
    return `arn:aws:states:us-east-1:123456789012:execution:${this.deployment.stack.find('AWS::StepFunctions::StateMachine')}:${name}`;
  }

  /** The directories that sessions, the server and the assembly have on this machine. */
  get directories(): string[] {
    return [join(this.directory, 'state'), this.shared, this.assembly];
  }

  /** Returns the directory of the session's workspace on this machine. */
  workspace(session: { readonly id: string }): string {
    return this.server.workspaceDirectory(this.runtimeArn, session.id);
  }

  /** Returns the commands sent for jobs whose name starts with the prefix, by job. Reattaching to a job sends its command again. */
  jobs(name: string): string[] {
    const found = this.server.calls.of('InvokeAgentRuntimeCommand').map(({ command = '' }) => /job=([\w-]+-\d+-[0-9a-f]{12})/.exec(command)?.[1] ?? '');
    return [...new Set(found.filter((job) => job.startsWith(name)))];
  }

  branches(): string[] {
    return this.git('for-each-ref', '--format=%(refname:short)', 'refs/heads').trim().split('\n');
  }

  async close(): Promise<void> {
    await this.deployment.close();
    if (this.first !== undefined) return;
    await this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private readonly agent: AgentHandler = async (request, session) => {
    const payload = request.json() as TurnPayload;
    const number = this.turns.push(payload) - 1;
    const { agent = 'echo right > value.txt' } = this.props;
    const script = typeof agent === 'string' ? agent : agent(number, payload);
    const { exitCode, stderr } = await session.exec(script, { workingDirectory: payload.workspace });
    if (exitCode !== 0) throw new Error(`the scripted agent failed: ${stderr}`);
    return { done: true };
  };

  private makeRemote(files: { readonly [path: string]: string }): void {
    const seed = join(this.directory, 'seed');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(seed, path)), { recursive: true });
      writeFileSync(join(seed, path), text);
      if (path.endsWith('.sh')) chmodSync(join(seed, path), 0o755);
    }
    mkdirSync(this.shared, { recursive: true });
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=seed', '-c', 'user.email=seed@localhost', ...args], { cwd: seed, stdio: 'pipe' });
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '--all');
    if (this.props.seed !== undefined) execFileSync('bash', ['-euc', this.props.seed], { cwd: seed, stdio: 'pipe' });
    git('commit', '--quiet', '--message', 'the beginning');
    execFileSync('git', ['clone', '--quiet', '--bare', seed, this.remote], { stdio: 'pipe' });
    // As at the usual hosts, a clone may omit file contents.
    execFileSync('git', ['--git-dir', this.remote, 'config', 'uploadpack.allowFilter', 'true']);
  }
}

/** Returns a function that starts loops; each loop is stopped after its test. */
export function useLoops(): (props?: LoopFixtureProps) => Promise<LoopFixture> {
  const open: LoopFixture[] = [];
  jest.setTimeout(120_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((loop) => loop.close()));
  });
  return async (props) => {
    const loop = await LoopFixture.start(props);
    open.push(loop);
    return loop;
  };
}

function callInProcess(deployment: LocalDeployment, endpoint: string, environment: object = {}): void {
  for (const logicalId of deployment.stack.ofType('AWS::Lambda::Function')) {
    const isPublisher = logicalId.includes('Publisher');
    const { Environment } = deployment.properties<{ readonly Environment?: { readonly Variables: object } }>(logicalId);
    if (isPublisher) Object.assign(process.env, Environment!.Variables, environment);
    const handler = loadHandler(endpoint, isPublisher ? 'forge/publisher.lambda' : undefined);
    jest.spyOn(deployment.function(logicalId), 'invoke').mockImplementation(async (event) => {
      try {
        return { result: JSON.parse(JSON.stringify(await handler(event as never, { getRemainingTimeInMillis: () => 900_000 }))) };
      } catch (error) {
        return { failure: { errorType: (error as Error).name, errorMessage: (error as Error).message } };
      }
    });
  }
}

interface NameList {
  readonly names: string[];
  readonly count: number;
}

export interface RunRecord {
  readonly outcome: string;
  readonly rounds: number;
  readonly commit?: { readonly id: string; readonly branch: string; readonly pushed: boolean };
  readonly pullRequest?: { readonly number: number; readonly url: string; readonly found?: boolean; readonly warnings?: string[] };
  readonly agent?: AgentRecord;
  readonly gates: GateRecord[];
  readonly putBack?: NameList;
  readonly verified: boolean;
  readonly verification?: {
    readonly sessions: string[];
    readonly separateUser?: boolean;
    readonly stopped: boolean;
    readonly gates: { readonly name: string; readonly verdict: string }[];
  };
  readonly findings?: { readonly ignored?: NameList; readonly empty?: NameList; readonly links?: NameList; readonly putAway?: NameList };
  readonly leftOut?: NameList;
  readonly session: { readonly id: string; readonly workspace?: string; readonly stopped: boolean; readonly error?: string };
  readonly error?: { readonly name: string; readonly message: string };
  readonly feedback?: Partial<Feedback>;
  readonly cost?: CostRecord;
  readonly schemaVersion: string;
}

function synth(directory: string, remote: string, loop: Partial<CodingLoopProps>): string {
  const app = new App({ outdir: join(directory, 'cdk.out'), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'agent',
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', {
    runtime,
    repository: GitRepository.fromUrl(`file://${remote}`),
    gates: [Gate.command('test', './test.sh')],
    // Most tests are about the session of the agent; those of verifications ask for one.
    verification: Verification.none(),
    ...loop,
  });
  return app.synth().directory;
}

function safeJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
