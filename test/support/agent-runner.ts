import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { AgentDefinition, AgentReport, REPORT_PREFIX } from '../../src/agent/constants';

export interface EndedTurn {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: AgentReport;
}

export interface RunnerOptions {
  readonly definition: AgentDefinition;
  /** The directories of programs, before the system's. */
  readonly programs?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  /** The ID of the user and the group that it runs as. @default - the one of the test */
  readonly user?: number;
}

/** The runner as a process, in a clone on a mount, with nothing of this machine's environment. */
export class AgentRunner {
  readonly root = mkdtempSync(join(tmpdir(), 'agent-runner-'));
  readonly clone = join(this.root, 'workspace', 'repo');
  /** The directory of what a microVM loses. */
  readonly ephemeral = join(this.root, 'ephemeral');
  private readonly bundle = join(this.root, 'workbench-agent.js');
  private readonly started = new Set<ChildProcess>();

  constructor(private readonly options: RunnerOptions) {
    buildSync({ entryPoints: [join(__dirname, '../../src/agent/runner/main.ts')], bundle: true, platform: 'node', target: 'node18', outfile: this.bundle });
    for (const directory of [this.clone, this.ephemeral, join(this.root, 'home')]) mkdirSync(directory, { recursive: true });
    execFileSync('git', ['init', '-q', this.clone]);
    chmodSync(this.root, 0o755);
    this.define(options.definition);
    this.write('sum.js', 'module.exports = (a, b) => a - b;\n');
    this.chown();
  }

  define(definition: AgentDefinition) {
    writeFileSync(join(this.root, 'agent.json'), JSON.stringify(definition));
  }

  read(file: string): string {
    return readFileSync(join(this.clone, file), 'utf8');
  }

  write(file: string, content: string) {
    writeFileSync(join(this.clone, file), content);
  }

  /** Removes what a microVM loses. */
  loseEphemeralDisk() {
    rmSync(this.ephemeral, { recursive: true });
    mkdirSync(this.ephemeral);
    this.chown();
  }

  /** Returns the files of the conversation that are kept on the mount. */
  kept(): string[] {
    const root = join(dirname(this.clone), '.agent');
    const entries = readdirSync(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  }

  async turn(prompt: string, environment: { readonly [name: string]: string } = {}, directory?: string): Promise<EndedTurn> {
    return this.start('turn', prompt, environment, directory).ended;
  }

  /** Starts the runner, for tests that do something while it is at work. */
  start(command: string, input: string, environment: { readonly [name: string]: string } = {}, directory = this.clone) {
    const { programs = [], user } = this.options;
    const child = spawn(process.execPath, [this.bundle, command], {
      cwd: directory,
      uid: user,
      gid: user,
      env: {
        PATH: [...programs, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
        HOME: join(this.root, 'home'),
        TMPDIR: this.ephemeral,
        LANG: 'C.UTF-8',
        WORKBENCH_AGENT_FILE: join(this.root, 'agent.json'),
        WORKBENCH_TASK_ID: 'task-1',
        ...this.options.environment,
        ...environment,
      },
    });
    this.started.add(child);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => output[name] += text);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const ended = new Promise<EndedTurn>((resolve) => child.on('close', (exitCode) => {
      this.started.delete(child);
      resolve({ exitCode, ...output, report: reportIn(output.stdout) });
    }));
    return { child, output, ended };
  }

  remove() {
    for (const child of this.started) child.kill('SIGKILL');
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }

  private chown() {
    const { user } = this.options;
    if (user === undefined) return;
    for (const path of [dirname(this.clone), this.clone, join(this.clone, '.git'), join(this.clone, 'sum.js'), this.ephemeral, join(this.root, 'home')]) {
      chownSync(path, user, user);
    }
  }
}

/** Returns the last line that reports a turn, as the driver does. */
function reportIn(output: string): AgentReport {
  const line = output.split('\n').reverse().find((one) => one.startsWith(REPORT_PREFIX));
  return line === undefined ? { name: 'no report' } : JSON.parse(line.slice(REPORT_PREFIX.length)) as AgentReport;
}
