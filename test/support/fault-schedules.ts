import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { LoopFixture } from './loop-fixture';
import type { FaultKind, FaultPoint, FaultSpec } from '../../rehearsal/agentcore';

/**
 * Asserts the invariants under any fault at any point: at most one commit and never a red one, each turn and command started at most
 * once, the session stopped.
 *
 * WORKBENCH_FAULT_SCHEDULES sets the number of schedules in all files together, WORKBENCH_FAULT_SEED the first seed of each file.
 * One schedule takes about a second of one core: `.ci/nightly` runs a thousand.
 */
export const SCHEDULES = Math.ceil(Number(process.env.WORKBENCH_FAULT_SCHEDULES ?? (process.env.CI ? 50 : 30)) / 2);
export const FIRST_SEED = Number(process.env.WORKBENCH_FAULT_SEED ?? 1);
const AT_ONCE = 4;

type Strike = Pick<FaultSpec, 'operation' | 'at' | 'kind' | 'then'>;

const strikesOf = (operation: Strike['operation'], at: FaultPoint, kinds: FaultKind[]): Strike[] => kinds.map((kind) => ({ operation, at, kind }));
const inTheMiddle = (operation: Strike['operation'], kinds: FaultKind[]): Strike[] => (['firstByte', 'midOutput', 'beforeEnd'] as const).flatMap((at) =>
  strikesOf(operation, at, kinds).flatMap((one) => (['continue', 'kill'] as const).map((then) => ({ ...one, then }))));

const REFUSALS: FaultKind[] = ['throttle', 'conflict', 'internal', 'quota', 'agentError', 'reset', 'replaceMicrovm', 'wipeWorkspace'];

/** The faults that may strike an operation, and how many calls of the operation a run may make before the fault. */
const STRIKES = {
  InvokeAgentRuntimeCommand: {
    calls: 14,
    strikes: [
      ...strikesOf('InvokeAgentRuntimeCommand', 'beforeStart', REFUSALS),
      ...inTheMiddle('InvokeAgentRuntimeCommand', ['internal', 'reset', 'end', 'platformExit', 'replaceMicrovm', 'wipeWorkspace']),
    ],
  },
  InvokeAgentRuntime: {
    calls: 3,
    strikes: [
      ...strikesOf('InvokeAgentRuntime', 'beforeStart', REFUSALS),
      ...inTheMiddle('InvokeAgentRuntime', ['reset', 'end', 'replaceMicrovm', 'wipeWorkspace']),
    ],
  },
  StopRuntimeSession: {
    calls: 1,
    strikes: [
      ...strikesOf('StopRuntimeSession', 'beforeStart', ['throttle', 'conflict', 'internal', 'reset']),
      ...strikesOf('StopRuntimeSession', 'beforeEnd', ['throttle', 'internal', 'reset']),
    ],
  },
} as const;

export type Struck = keyof typeof STRIKES;

/**
 * Returns an arbitrary of the faults in one run: a session whose first calls fail, faults that each strike the n-th call of an operation,
 * and the death of the function some milliseconds after the n-th state.
 */
function schedules(operations: readonly Struck[]) {
  const single = fc.constantFrom(...operations).chain((operation) => {
    const { calls, strikes } = STRIKES[operation];
    return fc.record({ strike: fc.constantFrom<Strike>(...strikes), after: fc.nat(calls - 1), times: fc.integer({ min: 1, max: 2 }) });
  }).map(({ strike: one, ...when }) => ({ ...one, ...when }));
  return fc.record({
    strikes: fc.array(single, { minLength: 1, maxLength: 3, size: 'max' }),
    killAt: fc.oneof({ weight: 1, arbitrary: fc.nat(9) }, { weight: 2, arbitrary: fc.constant(-1) }),
    killAfter: fc.nat(199),
    turns: fc.nat(2),
    cold: fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 2, arbitrary: fc.constant(0) }),
  });
}

/** Returns the schedule of a seed, the same on every machine. */
export function scheduleOf(seed: number, operations: readonly Struck[]): Schedule {
  return fc.sample(schedules(operations), { seed, numRuns: 1 })[0];
}

type Schedule = ReturnType<typeof schedules> extends fc.Arbitrary<infer T> ? T : never;

export interface SchedulesResult {
  /** The invariants that did not hold, by seed. */
  readonly faults: string[];
  /** The number of struck calls by operation, and of those that `coldStart` struck before. */
  readonly struck: { readonly [operation: string]: number };
}

/** Runs a loop through schedules, several at once, each with its own functions so that one can die without the others. */
export async function runSchedules(first: LoopFixture, operations: readonly Struck[]): Promise<SchedulesResult> {
  const loops = [first, ...Array.from({ length: AT_ONCE - 1 }, () => first.another())];
  const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST_SEED + index);
  const outcomes = new Map<string, number[]>();
  const faults: string[] = [];
  const struck: { [operation: string]: number } = {};
  const base = first.git('rev-parse', 'main').trim();
  await Promise.all(loops.map(async (loop) => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const schedule = scheduleOf(seed, operations);
      const outcome = await strike(loop, seed, schedule, base, struck).catch((error: Error) => {
        faults.push(`seed ${seed}: ${error.message} ${JSON.stringify(schedule)}`);
        return 'broken';
      });
      outcomes.set(outcome, [...outcomes.get(outcome) ?? [], seed]);
    }
  }));
  for (const loop of loops.slice(1)) await loop.close();
  process.stdout.write(`seeds ${FIRST_SEED} to ${FIRST_SEED + SCHEDULES - 1}: ${[...outcomes].map(wordsOf).join(', ')}; struck: ${JSON.stringify(struck)}\n`);
  return { faults, struck };
}

/** Asserts that every fault struck, so that no test passes for lack of faults. */
export function assertAllStruck(struck: SchedulesResult['struck'], operations: readonly Struck[]): void {
  if (SCHEDULES < 20) return;
  expect(Object.keys(struck).filter((operation) => struck[operation] > 0).sort()).toEqual([...operations, 'coldStart']);
}

/** Formats a name and, if there are few, its seeds. */
function wordsOf([name, seeds]: [string, number[]]): string {
  return `${name} ${seeds.length}${seeds.length > 5 ? '' : ` (${seeds.join(' ')})`}`;
}

/** Injects a schedule's faults into a session. The death of the function needs the run's events. */
export function inject(loop: LoopFixture, sessionId: string, { strikes, killAt, killAfter, cold }: Schedule) {
  const beginning = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'coldStart', times: cold, seconds: Infinity, match: (call) => call.sessionId === sessionId,
  });
  const added = strikes.map(({ after, ...fault }) => {
    let seen = 0;
    const counted = new Set<unknown>();
    return loop.server.faults.add({
      ...fault,
      match: (call) => {
        if (call.sessionId !== sessionId) return false;
        if (!counted.has(call)) seen += counted.add(call).size > 0 ? 1 : 0;
        return seen > after;
      },
    });
  });
  let state = 0;
  const onEvent = (event: { readonly type: string }) => {
    if (event.type === 'StateEntered' && state++ === killAt) setTimeout(() => void loop.deployment.function().kill(), killAfter);
  };
  return { added, beginning, onEvent };
}

/** Executes one run, checks the invariants and returns its outcome. */
async function strike(
  loop: LoopFixture, seed: number, schedule: Schedule, base: string, struck: { [operation: string]: number },
): Promise<string> {
  const session = loop.sessionOf(`run-${seed}`);
  const task = `seed-${seed}`;
  const { added, beginning, onEvent } = inject(loop, session.id, schedule);
  const { status, error, cause, record } = await loop.run({ prompt: `${schedule.turns}`, taskId: task }, { onEvent: onEvent as never, name: `run-${seed}` });
  for (const { fired, spec } of added) struck[spec.operation] = (struck[spec.operation] ?? 0) + fired;
  struck.coldStart = (struck.coldStart ?? 0) + beginning.fired;

  const commit = takenBranch(loop.remote, `workbench/${task}`);
  if (commit !== undefined) {
    check(commit.parents.length === 1 && commit.parents[0] === base, `commits on top of ${commit.parents.join(' ')}`);
    check(commit.value === RIGHT, 'a red commit');
  }
  if (status === 'SUCCEEDED') {
    check(record.outcome === 'COMMITTED' && record.commit!.id === commit?.id, `${record.outcome} ${record.commit?.id}, and ${commit?.id} is there`);
  }
  check(status === 'SUCCEEDED' || status === 'FAILED', status);
  check(status === 'SUCCEEDED' || /^(?:CodingLoop|Workbench|Lambda|Runtime|Sandbox)\./.test(error ?? ''), `an error without a name of ours: ${error}`);
  // None of the faults may be blamed on the agent or on git.
  check(!/^CodingLoop\.(?:SnapshotFailed|TurnFailed|CommitFailed|CheckoutFailed|BadInput|Red|Stuck|TimedOut)$/.test(error ?? ''), `${error}: ${cause}`);
  const last = loop.server.calls.all.filter((call) => call.sessionId === session.id).pop();
  // If a call succeeded but its reply was lost, the next one is answered with 404.
  const stopped = last?.operation === 'StopRuntimeSession' && [200, 404].includes(last.outcome?.statusCode ?? 0);
  check(stopped || error === 'CodingLoop.NotStopped' || record?.session?.error !== undefined, `the session is left, and nobody says so: ${last?.operation} ${JSON.stringify(last?.outcome)}`);
  return status === 'SUCCEEDED' ? record.outcome : error!;
}

/** Git's object id of a file with the single line "right". */
const RIGHT = createHash('sha1').update('blob 6\0right\n').digest('hex');

/** Returns the commit of a branch and deletes the branch, so that the remote stays fast. Reads the files without git, since there are many. */
function takenBranch(remote: string, branch: string): { readonly id: string; readonly parents: string[]; readonly value: string } | undefined {
  const file = join(remote, 'refs/heads', branch);
  if (!existsSync(file)) return undefined;
  const id = readFileSync(file, 'utf8').trim();
  rmSync(file);
  const commit = looseObject(remote, id).toString('utf8').split('\n\n')[0];
  const tree = looseObject(remote, /^tree (\w+)$/m.exec(commit)![1]);
  const name = tree.indexOf('value.txt\0') + 'value.txt\0'.length;
  return { id, parents: [...commit.matchAll(/^parent (\w+)$/gm)].map(([, parent]) => parent), value: tree.subarray(name, name + 20).toString('hex') };
}

function looseObject(remote: string, id: string): Buffer {
  const whole = inflateSync(readFileSync(join(remote, 'objects', id.slice(0, 2), id.slice(2))));
  return whole.subarray(whole.indexOf(0) + 1);
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
