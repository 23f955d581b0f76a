import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { LoopFixture, LoopFixtureProps } from './loop-fixture';
import { check, judge, noted, openForAll, RunSessions, sessionsOf } from './run-oracle';
import type { FaultKind, FaultPoint, FaultSpec } from '../../rehearsal/agentcore';
import { CodingLoopProps, Gate, Verification } from '../../src';

/** The number of files with schedules. */
const FILES = 3;

/**
 * Asserts the invariants under any fault at any point: at most one commit, of which a fresh clone passes the gates, nothing pushed that was not
 * verified, each turn and command started at most once, all sessions stopped. One of five schedules has a loop that does not verify.
 *
 * WORKBENCH_FAULT_SCHEDULES sets the number of schedules in all files together, WORKBENCH_FAULT_SEED the first seed of each file.
 * One schedule takes about two seconds of one core: `.ci/nightly` runs a thousand.
 */
const SCHEDULES = Math.ceil(Number(process.env.WORKBENCH_FAULT_SCHEDULES ?? 20) / FILES);
export const FIRST_SEED = Number(process.env.WORKBENCH_FAULT_SEED ?? 1);
const AT_ONCE = 4;

/** Determines whether a schedule's loop verifies its changes. */
export const isVerified = (seed: number) => seed % 5 !== 0;

type Strike = Pick<FaultSpec, 'operation' | 'at' | 'kind' | 'then'>;

const strikesOf = (operation: Strike['operation'], at: FaultPoint, kinds: FaultKind[]): Strike[] => kinds.map((kind) => ({ operation, at, kind }));
const inTheMiddle = (operation: Strike['operation'], kinds: FaultKind[]): Strike[] => (['firstByte', 'midOutput', 'beforeEnd'] as const).flatMap((at) =>
  strikesOf(operation, at, kinds).flatMap((one) => (['continue', 'kill'] as const).map((then) => ({ ...one, then }))));

const REFUSALS: FaultKind[] = ['throttle', 'conflict', 'internal', 'quota', 'agentError', 'reset', 'replaceMicrovm', 'wipeWorkspace'];

/** The faults that may strike an operation, and how many calls of the operation a run may make before the fault. */
const STRIKES = {
  InvokeAgentRuntimeCommand: {
    calls: 18,
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
    return fc.record({
      strike: fc.constantFrom<Strike>(...strikes),
      after: fc.nat(calls - 1),
      times: fc.integer({ min: 1, max: 2 }),
      inVerification: operation === 'InvokeAgentRuntime' ? fc.constant(false) : fc.boolean(),
    });
  }).map(({ strike: one, ...when }) => ({ ...one, ...when }));
  return fc.record({
    strikes: fc.array(single, { minLength: 1, maxLength: 3, size: 'max' }),
    killAt: fc.oneof({ weight: 1, arbitrary: fc.nat(13) }, { weight: 2, arbitrary: fc.constant(-1) }),
    killAfter: fc.nat(599),
    turns: fc.nat(2),
    cold: fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 2, arbitrary: fc.constant(0) }),
    coldVerification: fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 2, arbitrary: fc.constant(0) }),
  });
}

/** Returns the schedule of a seed, the same on every machine. */
export function scheduleOf(seed: number, operations: readonly Struck[]): Schedule {
  return fc.sample(schedules(operations), { seed, numRuns: 1 })[0];
}

type Schedule = ReturnType<typeof schedules> extends fc.Arbitrary<infer T> ? T : never;

const BOOTSTRAP = 'mkdir -p ignored && touch ignored/ready';

const GATE = '[[ -e ignored/ready ]] && ./test.sh';

/** Declares the tests of a kind of agent: those whose loop verifies its changes, and those whose loop does not. */
export function testSchedules(
  agent: LoopFixtureProps['agent'], turn: (shared: string) => Partial<CodingLoopProps>, operations: readonly Struck[], alsoHolds?: Schedules['alsoHolds'],
): void {
  const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST_SEED + index);
  describe.each([
    ['with a verification', Verification.inFreshSession(), seeds.filter(isVerified)],
    ['without a verification', Verification.none(), seeds.filter((seed) => !isVerified(seed))],
  ] as const)('%s', (title, verification, ours) => {
    let loop: LoopFixture;
    let commands: string[] = [];
    beforeAll(async () => {
      loop = await LoopFixture.start({
        agent,
        loop: (shared) => {
          commands = [BOOTSTRAP, noted(`echo "$WORKBENCH_JOB $(id -u)" >>${shared}/starts; ${GATE}`, shared)];
          return { verification, bootstrap: [BOOTSTRAP], gates: [Gate.command('test', commands[1])], ...turn(shared) };
        },
      });
      openForAll(loop, 'starts');
    }, 60_000);
    afterAll(() => loop.close(), 60_000 + ours.length * 2_000);

    test(`${ours.length} schedules from seed ${FIRST_SEED}`, async () => {
      const { faults, struck } = await runSchedules(loop, { title, seeds: ours, operations, commands, verified: verification._verifies, alsoHolds });
      expect(faults).toEqual([]);
      // No test passes for lack of faults.
      expect(ours.length < 40 ? [] : [...operations, 'coldStart'].filter((operation) => !struck[operation])).toEqual([]);
      const jobs = readFileSync(join(loop.shared, 'starts'), 'utf8').trim().split('\n');
      expect(jobs.filter((job, index) => jobs.indexOf(job) !== index)).toEqual([]);
      const turns = loop.turns.map(({ taskId, round }) => `${taskId}, round ${round}`);
      expect(turns.filter((one, index) => turns.indexOf(one) !== index)).toEqual([]);
    }, 60_000 + ours.length * 20_000);
  });
}

interface Schedules {
  readonly title: string;
  readonly seeds: readonly number[];
  readonly operations: readonly Struck[];
  /** What passes in a fresh clone of each commit. */
  readonly commands: readonly string[];
  readonly verified: boolean;
  /** Throws if a run lacks something else. */
  readonly alsoHolds?: (loop: LoopFixture, name: string, result: Awaited<ReturnType<LoopFixture['run']>>) => void;
}

interface SchedulesResult {
  /** The invariants that did not hold, by seed. */
  readonly faults: string[];
  /** The number of struck calls by operation, and of those that `coldStart` struck before. */
  readonly struck: { [operation: string]: number };
}

/** Runs a loop through schedules, several at once, each with its own functions so that one can die without the others. */
async function runSchedules(first: LoopFixture, schedulesOf: Schedules): Promise<SchedulesResult> {
  const outcomes = new Map<string, number[]>();
  const result: SchedulesResult = { faults: [], struck: {} };
  await atOnce(first, schedulesOf.seeds, async (loop, seed) => {
    const schedule = scheduleOf(seed, schedulesOf.operations);
    const outcome = await strike(loop, seed, schedule, schedulesOf, result.struck).catch((error: Error) => {
      result.faults.push(`seed ${seed}: ${error.message} ${JSON.stringify(schedule)}`);
      return 'broken';
    });
    outcomes.set(outcome, [...outcomes.get(outcome) ?? [], seed]);
  });
  const { title, seeds } = schedulesOf;
  const endings = [...outcomes].map(wordsOf).join(', ');
  process.stdout.write(`${title}, ${seeds.length} seeds from ${seeds[0]}: ${endings}; struck: ${JSON.stringify(result.struck)}\n`);
  return result;
}

/** Does something for each seed, several at once, each in a loop with its own functions. */
export async function atOnce(first: LoopFixture, seeds: readonly number[], body: (loop: LoopFixture, seed: number) => Promise<void>): Promise<void> {
  const loops = [first, ...Array.from({ length: Math.min(AT_ONCE, seeds.length) - 1 }, () => first.another())];
  const rest = [...seeds];
  await Promise.all(loops.map(async (loop) => {
    for (let seed = rest.shift(); seed !== undefined; seed = rest.shift()) await body(loop, seed);
  }));
  for (const loop of loops.slice(1)) {
    first.turns.push(...loop.turns);
    await loop.close();
  }
}

/** Formats a name and, if there are few, its seeds. */
function wordsOf([name, seeds]: [string, number[]]): string {
  return `${name} ${seeds.length}${seeds.length > 5 ? '' : ` (${seeds.join(' ')})`}`;
}

/** Injects a schedule's faults into the sessions of a run. The death of the function needs the run's events. */
export function inject(
  loop: LoopFixture, { own, verifications }: RunSessions, { strikes, killAt, killAfter, cold, coldVerification }: Schedule, verified: boolean,
) {
  const coldStart = (times: number, sessionId: string) => loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'coldStart', times, seconds: Infinity, match: (call) => call.sessionId === sessionId,
  });
  const beginnings = [coldStart(cold, own), coldStart(coldVerification, verifications[0])];
  const added = strikes.map(({ after, inVerification, ...fault }) => {
    const sessions = inVerification && verified ? verifications : [own];
    let seen = 0;
    const counted = new Set<unknown>();
    return loop.server.faults.add({
      ...fault,
      match: (call) => {
        if (!sessions.includes(call.sessionId!)) return false;
        if (!counted.has(call)) seen += counted.add(call).size > 0 ? 1 : 0;
        return seen > after;
      },
    });
  });
  let state = 0;
  const onEvent = (event: { readonly type: string }) => {
    if (event.type === 'StateEntered' && state++ === killAt) setTimeout(() => void loop.deployment.function().kill(), killAfter);
  };
  return { added, beginnings, onEvent };
}

/** Executes one run, checks the invariants and returns its outcome. */
async function strike(
  loop: LoopFixture, seed: number, schedule: Schedule, { commands, verified, alsoHolds }: Schedules, struck: SchedulesResult['struck'],
): Promise<string> {
  const name = `run-${seed}`;
  const task = `seed-${seed}`;
  const { added, beginnings, onEvent } = inject(loop, sessionsOf(loop, name), schedule, verified);
  const result = await loop.run({ prompt: `${schedule.turns}`, taskId: task }, { onEvent: onEvent as never, name });
  const { status, error, cause, record } = result;
  for (const { fired, spec } of added) struck[spec.operation] = (struck[spec.operation] ?? 0) + fired;
  for (const { fired } of beginnings) struck.coldStart = (struck.coldStart ?? 0) + fired;

  const branch = `workbench/${task}`;
  const commit = judge({ loop, name, branch, result, verified, commands });
  if (commit !== undefined) check(loop.git('rev-parse', `${commit}^@`).trim() === loop.git('rev-parse', 'main').trim(), 'commits on top of something else');
  check(commit !== undefined || !loop.branches().includes(branch), 'something was pushed that is no commit of the run');
  check(status === 'SUCCEEDED' || status === 'FAILED', status);
  check(status === 'FAILED' || record.outcome === 'COMMITTED', record?.outcome);
  check(status === 'SUCCEEDED' || /^(?:CodingLoop|Workbench|Lambda|Runtime|Sandbox)\./.test(error ?? ''), `an error without a name of ours: ${error}`);
  // None of the faults may be blamed on the agent or on git.
  check(!BLAME.test(error ?? ''), `${error}: ${cause}`);
  const isWiped = added.some(({ spec, fired }) => spec.kind === 'wipeWorkspace' && fired > 0);
  check(error !== 'CodingLoop.WorkspaceLost' || isWiped, `the workspace of the agent is still there: ${cause}`);
  alsoHolds?.(loop, name, result);
  if (commit !== undefined) loop.git('update-ref', '-d', `refs/heads/${branch}`); // so that the remote stays fast
  return status === 'SUCCEEDED' ? record.outcome : error!;
}

const BLAME = /^CodingLoop\.(?:SnapshotFailed|TurnFailed|BootstrapFailed|CommitFailed|CheckoutFailed|VerificationFailed|BadInput|Red|Stuck|Inert|TimedOut)$/;
