import { execFileSync, spawn, SpawnOptionsWithoutStdio, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LOST_REASONS, STATUSES, VERDICTS } from '../../src/jobs/constants';
import { Job } from '../../src/jobs/job';
import { commit as commitStep } from '../../src/loop/steps/commit';
import { NEXT, VERIFICATION } from '../../src/loop/steps/constants';
import { LoopError } from '../../src/loop/steps/errors';
import { prepare } from '../../src/loop/steps/prepare';
import { ownSession } from '../../src/loop/steps/sessions';
import { snapshot } from '../../src/loop/steps/snapshot';
import { LoopState, RunIdentity } from '../../src/loop/steps/state';
import { inWorkspace, StepRequest, StepTools } from '../../src/loop/steps/step';
import { verify } from '../../src/loop/steps/verify';

export interface WorkspaceRun {
  /** A shell script that runs in the clone. */
  readonly agent?: string;
  /** Called each time the files have been recorded, while the gates would run, to do other people's work. */
  readonly meanwhile?: (time: number) => void;
  /** Called each time the files have been verified, before they are committed, to do other people's work. */
  readonly beforeCommit?: (time: number) => void;
  /** A shell script that runs in the clone and must pass. */
  readonly gate?: string;
  readonly task?: string;
  readonly prompt?: string;
  readonly push?: boolean;
  readonly branchPrefix?: string;
  /** A session other than `main`. */
  readonly session?: string;
  readonly ref?: string;
  /** The `update` of the input's `session`. */
  readonly update?: boolean;
  /** The `onTop` of the input's `session`. */
  readonly onTop?: boolean;
}

export interface WorkspaceOutcome {
  readonly outcome: string;
  readonly message?: string;
  readonly loop: LoopState;
  /** The tree that was recorded first, and the commit that it is based on. */
  readonly recorded?: { readonly base: string; readonly tree: string };
  readonly run: RunIdentity;
}

export interface WorkspacesProps {
  /** @default 1 */
  readonly depth?: number;
  /** Determines whether the complete history is fetched, without its contents. */
  readonly history?: boolean;
  readonly submodules?: boolean;
  /** Determines whether changes are verified in a session of their own, whose disk is a directory on this machine. */
  readonly verification?: boolean;
  /** Returns the URL of the remote for sessions when a run starts. @default - its directory */
  readonly url?: () => string;
}

const IDENTITY = { GIT_AUTHOR_NAME: 'other', GIT_AUTHOR_EMAIL: 'other@localhost', GIT_COMMITTER_NAME: 'other', GIT_COMMITTER_EMAIL: 'other@localhost' };

const executionOf = (number: number) => `arn:aws:states:us-east-1:123456789012:execution:Loop:run-${number}`;

/**
 * Runs of a loop without its state machine and its gates' commands: the real steps and scripts, with a workspace and a remote on this
 * machine. A run takes a second or two instead of ten.
 */
export class Workspaces {
  readonly directory = mkdtempSync(join(tmpdir(), 'workspaces-'));
  readonly remote = join(this.directory, 'remote.git');
  /** The commands sent to sessions, by name. */
  readonly sent: string[] = [];
  /** The PATH of sessions; WORKBENCH_TEST_GIT is a directory with another git for them. */
  path = [...process.env.WORKBENCH_TEST_GIT === undefined ? [] : [process.env.WORKBENCH_TEST_GIT], process.env.PATH!].join(':');
  /** The steps after which the microVM is lost once, before their result is returned. */
  readonly lose: string[] = [];
  /** The session of the last verification. */
  private verifying = '';
  private runs = 0;
  private clones = 0;

  constructor(private readonly props: WorkspacesProps = {}) {
    writeFileSync(join(this.directory, 'gitconfig'), '');
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch', 'main', this.remote]);
    this.others('echo wrong > value.txt; printf "ignored/\\n" > .gitignore; git add --all; git commit -qm "the beginning"; git push -q origin HEAD:main', '');
  }

  get url(): string {
    return this.props.url?.() ?? `file://${this.remote}`;
  }

  /** Does somebody else's work in a clone of a branch. */
  others(script: string, branch = 'main'): void {
    const clone = join(this.directory, `other-${++this.clones}`);
    execFileSync('git', ['clone', '--quiet', ...branch === '' ? [] : ['--branch', branch], this.remote, clone], { stdio: 'pipe' });
    execFileSync('bash', ['-euc', script], { cwd: clone, stdio: 'pipe', env: this.environment(IDENTITY) });
  }

  git(...args: string[]): string {
    return execFileSync('git', ['--git-dir', this.remote, ...args], { encoding: 'utf8' });
  }

  /** Returns the names of files that a commit changes. */
  changed(commit: string): string[] {
    return this.git('diff-tree', '--no-commit-id', '--name-only', '-r', '-m', '--first-parent', '--no-renames', commit).split('\n').slice(0, -1);
  }

  subjects(branch = 'workbench/task-1'): string[] {
    return this.git('log', '--topo-order', '--format=%s', branch).split('\n').slice(0, -1);
  }

  hook(name: string, script: string): void {
    const file = join(this.remote, 'hooks', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/bash\n${script}\n`);
    chmodSync(file, 0o755);
  }

  mount(session = 'main'): string {
    const mount = join(this.directory, session);
    mkdirSync(mount, { recursive: true });
    return mount;
  }

  /** Runs a script in the clone, as an agent or a person would. */
  inClone(script: string, session?: string): { readonly status: number | null; readonly output: string } {
    const { status, stdout, stderr } = spawnSync('bash', ['-uc', script], { cwd: join(this.mount(session), 'repo'), encoding: 'utf8', env: { ...this.environment(), PATH: process.env.PATH } });
    return { status, output: `${stdout}${stderr}` };
  }

  async run({ agent = 'echo right > value.txt', gate = 'true', task = 'task-1', ...more }: WorkspaceRun = {}): Promise<WorkspaceOutcome> {
    const number = ++this.runs;
    const { prompt = `Prompt ${number}`, push = true, branchPrefix = 'workbench/', session, ref, update, onTop } = more;
    const tools = this.tools();
    const { depth = 1, history, submodules } = this.props;
    const verification = this.props.verification === true ? { packBytes: 1e6, separateUser: 'never' as const, attempts: 10 } : undefined;
    const config = { name: 'Loop', mount: this.mount(session), depth, history, submodules, author: { name: 'bot', email: 'bot@localhost' }, push, verification };
    const request = { runtimeArn: 'arn:runtime', execution: executionOf(number), config };
    const goesOn = update !== undefined || onTop !== undefined;
    const input = { prompt, taskId: task, ...goesOn ? { session: { ...ownSession(executionOf(1)), update, onTop } } : {} };
    const repository = { url: this.url, ...(ref === undefined ? {} : { ref }) };
    let state: { prompt: string; taskId: string; run: RunIdentity; loop: LoopState } | undefined;
    let ended: { outcome: string; message?: string };
    let recorded: WorkspaceOutcome['recorded'];
    const disk = jest.replaceProperty(VERIFICATION as { mount: string }, 'mount', join(this.directory, 'verification'));
    try {
      state = await prepare({
        ...request,
        state: input,
        startedAt: `2026-01-01T00:00:${String(number).padStart(2, '0')}Z`,
        config: { ...config, repository, branchPrefix, timeoutSeconds: 1e9, promptBytes: 10_000 },
      }, tools);
      const { status, output } = this.inClone(agent, session);
      if (status !== 0) throw new Error(`the agent failed: ${output}`);
      ended = await this.gatesAndCommit({ ...request, state }, (loop) => {
        state = { ...state!, loop };
        if (loop.tree !== undefined) recorded ??= { base: loop.base, tree: loop.tree };
      }, tools, gate, more);
    } catch (error) {
      if (!(error instanceof LoopError)) throw error;
      ended = { outcome: error.name, message: error.message };
    } finally {
      disk.restore();
    }
    if (state !== undefined) await inWorkspace({ ...request, state }, tools, 'release', 'CodingLoop.WorkspaceLost', {}, { unclaimed: true });
    return { ...ended, recorded, loop: state?.loop as LoopState, run: state?.run as RunIdentity };
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  private async gatesAndCommit(
    request: StepRequest, keep: (loop: LoopState) => void, tools: StepTools, gate: string, { meanwhile, beforeCommit, session }: WorkspaceRun,
  ): Promise<{ outcome: string; message?: string }> {
    for (let time = 0, { state } = request; ; time++) {
      const becomes = (loop: LoopState) => {
        state = { ...state, loop };
        keep(loop);
      };
      becomes(await snapshot({ ...request, state, maxRepairs: 0 }, tools));
      if (state.loop.next !== NEXT.GO_ON) return { outcome: state.loop.next };
      meanwhile?.(time);
      const { status, output } = this.inClone(gate, session);
      if (status !== 0) return { outcome: NEXT.RED, message: output };
      becomes({ ...state.loop, gates: [{ name: 'test', verdict: VERDICTS.PASSED, exitCode: 0, seconds: 1, logPath: '' }] });
      if (request.config.verification !== undefined) {
        const verified = await this.verification({ ...request, state }, tools, gate);
        becomes(verified);
        if (verified.next === NEXT.AGAIN) continue;
        if (verified.next !== NEXT.GO_ON) return { outcome: verified.next, message: verified.feedback?.output };
      }
      beforeCommit?.(time);
      becomes(await commitStep({ ...request, state, message: '{prompt}', gates: ['test'] }, tools));
      const { next, found } = state.loop as LoopState;
      if (next === NEXT.NO_CHANGES) return { outcome: next };
      if (next !== NEXT.AGAIN) return { outcome: found ? 'FOUND' : 'COMMITTED' };
    }
  }

  /** Verifies the recorded tree in a directory of its own, and begins again if its microVM is lost. */
  private async verification(request: StepRequest, tools: StepTools, gate: string): Promise<LoopState> {
    for (let { state } = request; ;) {
      const loop = await verify({ ...request, state, gates: [{ name: 'test', command: gate, timeoutSeconds: 60 }], maxRepairs: 0 }, tools);
      if (loop.next !== NEXT.RUNNING) return loop;
      state = { ...state, loop };
    }
  }

  private environment(more: { readonly [name: string]: string } = {}): NodeJS.ProcessEnv {
    return { PATH: this.path, HOME: this.directory, GIT_CONFIG_GLOBAL: join(this.directory, 'gitconfig'), GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C', ...more };
  }

  /** Runs what a step sends as a job would, with both outputs in one. */
  private tools(): StepTools {
    const runJob = async (job: Job, { onOutput }: Partial<StepTools> = {}) => {
      const { name, prologue, command, workingDirectory, environment, sessionId, mount } = job;
      this.sent.push(name);
      if (sessionId.startsWith('verify-') && sessionId !== this.verifying) {
        this.verifying = sessionId;
        rmSync(mount, { recursive: true, force: true });
      }
      const text = `exec 2>&1\n${prologue}\n${command}`;
      const { status, stdout } = await outputOf('bash', ['-c', text], { cwd: workingDirectory, env: this.environment(environment) });
      if (this.lose[0] === name) {
        this.lose.shift();
        return { status: STATUSES.ENDED, verdict: VERDICTS.LOST, lostReason: LOST_REASONS.MICROVM, exitCode: null, tail: '', seconds: 1, logPath: '' };
      }
      onOutput?.(stdout, 0);
      const tail = stdout.subarray(-24_576).toString('utf8');
      const verdict = status === 0 ? VERDICTS.PASSED : status === 127 ? VERDICTS.INERT : VERDICTS.FAILED;
      return { status: STATUSES.ENDED, verdict, exitCode: status, tail, seconds: 1, logPath: '' };
    };
    const executions = {
      describe: async (arn: string) => arn === executionOf(1) ? { arn, isRunning: false, startedAt: 0, input: {} } : undefined,
      running: async function* () {},
    };
    const client = { send: async () => ({}) };
    return { runJob, client, measure: () => {}, executions, clock: { now: () => Date.parse('2026-01-01T01:00:00Z') }, until: Number.MAX_SAFE_INTEGER, backoffSeconds: 0 } as unknown as StepTools;
  }
}

function outputOf(file: string, words: string[], options: SpawnOptionsWithoutStdio): Promise<{ status: number | null; stdout: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, words, options);
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stdin.end();
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout: Buffer.concat(pieces) }));
  });
}

/** Returns a function that creates remotes with their workspaces; each is removed after its test. */
export function useWorkspaces(): (props?: WorkspacesProps) => Workspaces {
  const open: Workspaces[] = [];
  jest.setTimeout(120_000);
  afterEach(() => open.splice(0).forEach((one) => one.close()));
  return (props) => {
    const one = new Workspaces(props);
    open.push(one);
    return one;
  };
}
