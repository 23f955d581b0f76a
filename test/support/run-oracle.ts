import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoopFixture, RunRecord } from './loop-fixture';
import type { ExecutionResult } from '../../rehearsal/stepfunctions';
import { VERIFICATION } from '../../src/loop/steps/constants';
import { ownSession, verificationSession } from '../../src/loop/steps/sessions';

/** More than the number of verifications that a run of the schedules may start. */
const VERIFICATIONS = 20;

/** The sessions that the execution with a name may start. */
export interface RunSessions {
  readonly own: string;
  readonly verifications: readonly string[];
}

export function sessionsOf(loop: LoopFixture, name: string): RunSessions {
  const execution = loop.executionOf(name);
  return {
    own: ownSession(execution).id,
    verifications: Array.from({ length: VERIFICATIONS }, (_, index) => verificationSession(execution, undefined, index + 1).id),
  };
}

/** Returns the command of a last gate, which notes in the shared directory who ran it, as which job, and on which commit's files. */
export function noted(command: string, shared: string): string {
  return `${command} && echo "$(id -u) $WORKBENCH_JOB $(git rev-parse 'HEAD^{tree}')" >>${shared}/passed`;
}

/** Lets the user of verifications write to files of the shared directory. */
export function openForAll(loop: LoopFixture, ...names: string[]): void {
  for (const file of [...names, 'passed'].map((name) => join(loop.shared, name))) {
    appendFileSync(file, '');
    chmodSync(file, 0o666);
  }
}

export interface Judged {
  readonly loop: LoopFixture;
  /** The name of the execution. */
  readonly name: string;
  readonly branch: string;
  readonly result: ExecutionResult & { readonly record: RunRecord };
  /** Determines whether the loop verifies changes. */
  readonly verified: boolean;
  /** The bootstrap commands and the commands of the gates. */
  readonly commands: readonly string[];
}

/**
 * Throws an error unless a run kept its promises: its record says what is at the remote, a fresh clone of what it pushed passes the bootstrap
 * and the gates, nothing was pushed that was not verified, and no session is left running in silence.
 *
 * @returns the ID of the commit that the run pushed
 */
export function judge({ loop, name, branch, result, verified, commands }: Judged): string | undefined {
  const { status, error, record } = result;
  const sessions = sessionsOf(loop, name);
  const pushed = commitsOf(loop, name, branch);
  if (status === 'SUCCEEDED' && record.outcome === 'COMMITTED') {
    check(record.commit!.id === pushed[0]?.id, `COMMITTED ${record.commit!.id}, and ${pushed[0]?.id} is there`);
    check(record.verified === verified, `COMMITTED, and verified is ${record.verified}`);
  }
  check(pushed.length <= 1, `the run pushed ${pushed.length} commits`);
  for (const { id, tree } of pushed) {
    check(!verified || passedIn(loop, sessions).has(tree), `the commit ${id} was pushed, and its tree ${tree} was not verified`);
    checkFreshClone(loop, branch, commands);
  }
  const left = leftOf(loop, sessions.own);
  check(left === undefined || error === 'CodingLoop.NotStopped' || record?.session?.error !== undefined, `the session is left, and nobody says so: ${left}`);
  for (const id of sessions.verifications) {
    const also = leftOf(loop, id);
    check(also === undefined || error === 'CodingLoop.NotStopped' || record?.verification?.stopped === false, `the session ${id} is left, and nobody says so: ${also}`);
  }
  return pushed[0]?.id;
}

/** Returns the run's commits on a branch, the newest first. An agent's own are not the run's. */
function commitsOf(loop: LoopFixture, name: string, branch: string): { readonly id: string; readonly tree: string }[] {
  if (!existsSync(join(loop.remote, 'refs/heads', branch))) return [];
  return loop.git('log', '--format=%H %T %(trailers:key=Workbench-Run,valueonly,separator=%x2C)', `main..${branch}`).split('\n')
    .map((line) => line.split(' ')).filter(([, , run = '']) => run.startsWith(`${name}-`)).map(([id, tree]) => ({ id, tree }));
}

/** Returns the trees on which the last gate passed as the user of verifications, in a session of one of the run's. */
function passedIn(loop: LoopFixture, { verifications }: RunSessions): Set<string> {
  const jobs = new Set(loop.server.calls.of('InvokeAgentRuntimeCommand').filter(({ sessionId = '' }) => verifications.includes(sessionId))
    .map(({ command = '' }) => /job=([\w-]+-\d+-[0-9a-f]{12})/.exec(command)?.[1]));
  return new Set(readFileSync(join(loop.shared, 'passed'), 'utf8').split('\n').map((line) => line.split(' '))
    .filter(([user, job]) => user === String(VERIFICATION.user) && jobs.has(job)).map(([, , tree]) => tree));
}

function checkFreshClone(loop: LoopFixture, branch: string, commands: readonly string[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'fresh-'));
  try {
    const clone = join(directory, 'repo');
    execFileSync('git', ['clone', '--quiet', '--no-local', '--single-branch', '--branch', branch, loop.remote, clone], { stdio: 'pipe' });
    for (const command of commands) {
      const env = { PATH: process.env.PATH, HOME: directory, WORKBENCH_JOB: directory };
      const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -e -o pipefail\n${command}`], { cwd: clone, env, encoding: 'utf8' });
      check(status === 0, `a fresh clone does not pass "${command}": ${stdout}${stderr}`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Returns the last call to a session that was not stopped. If a stop succeeded but its reply was lost, the next one is answered with 404. */
function leftOf(loop: LoopFixture, sessionId: string): string | undefined {
  const calls = loop.server.calls.all.filter((call) => call.sessionId === sessionId);
  const last = calls[calls.length - 1];
  if (last === undefined || (last.operation === 'StopRuntimeSession' && [200, 404].includes(last.outcome?.statusCode ?? 0))) return undefined;
  return `${last.operation} ${JSON.stringify(last.outcome)}`;
}

export function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
