import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultKind, FaultPoint, FaultSpec } from '../../rehearsal/agentcore';
import { AgentTurn, Gate } from '../../src';
import { LoopFixture } from '../support/loop-fixture';

/**
 * Whatever strikes, and wherever: one commit or none, never a red one, each command started at most once, the session stopped.
 *
 * A schedule takes about a second. WORKBENCH_FAULT_SCHEDULES says how many there are, WORKBENCH_FAULT_SEED which is the first.
 */
const SCHEDULES = Number(process.env.WORKBENCH_FAULT_SCHEDULES ?? (process.env.CI ? 150 : 40));
const FIRST_SEED = Number(process.env.WORKBENCH_FAULT_SEED ?? 1);
const AT_ONCE = 4;

/** Numbers from a seed, the same on every machine. "mulberry32". */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Strike = Pick<FaultSpec, 'operation' | 'at' | 'kind' | 'then' | 'times'>;

const STRIKES: readonly Strike[] = [
  ...(['throttle', 'conflict', 'internal', 'quota', 'agentError', 'reset', 'replaceMicrovm', 'wipeWorkspace'] as FaultKind[]).map((kind) =>
    ({ operation: 'InvokeAgentRuntimeCommand' as const, at: 'beforeStart' as const, kind })),
  ...(['firstByte', 'midOutput', 'beforeEnd'] as FaultPoint[]).flatMap((at) =>
    (['internal', 'reset', 'end', 'platformExit', 'replaceMicrovm', 'wipeWorkspace'] as FaultKind[]).flatMap((kind) =>
      (['continue', 'kill'] as const).map((then) => ({ operation: 'InvokeAgentRuntimeCommand' as const, at, kind, then })))),
  ...(['throttle', 'conflict', 'internal', 'reset'] as FaultKind[]).map((kind) => ({ operation: 'StopRuntimeSession' as const, at: 'beforeStart' as const, kind })),
];

/** What strikes one run: faults, each at the n-th call of its operation, and the death of the function at the n-th state. */
function scheduleOf(seed: number) {
  const next = random(seed);
  const strikes = Array.from({ length: 1 + next(3) }, () => ({ ...STRIKES[next(STRIKES.length)], after: next(14), times: 1 + next(2) }));
  return { strikes, killAt: next(3) === 0 ? next(10) : -1, killAfter: next(200), turns: next(3) };
}

const TURN = 'echo "$WORKBENCH_JOB" >> STARTS; read -r prompt; case "$prompt" in *"$WORKBENCH_ROUND"*) echo right ;; *) letters=abcdef; echo "wrong-${letters:WORKBENCH_ROUND:1}" ;; esac > value.txt';

describe('random faults', () => {
  let loops: LoopFixture[];
  let starts: string;

  beforeAll(async () => {
    jest.setTimeout(120_000);
    const first = await LoopFixture.start({ loop: loopProps });
    loops = [first, ...Array.from({ length: AT_ONCE - 1 }, () => first.another())];
    starts = join(first.shared, 'starts');
    mkdirSync(first.shared, { recursive: true });
  }, 60_000);
  afterAll(async () => {
    for (const loop of loops.reverse()) await loop.close();
  });

  const loopProps = (shared: string) => ({
    turn: AgentTurn.command(TURN.replace('STARTS', `${shared}/starts`)),
    gates: [Gate.command('test', `echo "$WORKBENCH_JOB" >> ${shared}/starts; ./test.sh`)],
  });

  test(`${SCHEDULES} schedules from seed ${FIRST_SEED}`, async () => {
    const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST_SEED + index);
    const outcomes = new Map<string, number[]>();
    const faults: string[] = [];
    await Promise.all(loops.map(async (loop) => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const outcome = await strike(loop, seed).catch((error: Error) => {
          faults.push(`seed ${seed}: ${error.message} ${JSON.stringify(scheduleOf(seed!))}`);
          return 'broken';
        });
        outcomes.set(outcome, [...outcomes.get(outcome) ?? [], seed]);
      }
    }));
    process.stdout.write(`seeds ${FIRST_SEED} to ${FIRST_SEED + SCHEDULES - 1}: ${[...outcomes].map(wordsOf).join(', ')}\n`);
    expect(faults).toEqual([]);
    const jobs = readFileSync(starts, 'utf8').trim().split('\n');
    expect(jobs.filter((job, index) => jobs.indexOf(job) !== index)).toEqual([]);
  }, 60_000 + SCHEDULES * 10_000);
});

/** With the seeds of what is rare. */
function wordsOf([name, seeds]: [string, number[]]): string {
  return `${name} ${seeds.length}${seeds.length > 5 ? '' : ` (${seeds.join(' ')})`}`;
}

/** One run, and what has to hold for it. Returns its outcome. */
async function strike(loop: LoopFixture, seed: number): Promise<string> {
  const { strikes, killAt, killAfter, turns } = scheduleOf(seed);
  const session = { id: `session-of-the-run-with-the-seed-${String(seed).padStart(8, '0')}` };
  const task = `seed-${seed}`;
  for (const { after, ...fault } of strikes) {
    let seen = 0;
    const counted = new Set<unknown>();
    loop.server.faults.add({
      ...fault,
      match: (call) => {
        if (call.sessionId !== session.id) return false;
        if (!counted.has(call)) seen += counted.add(call).size > 0 ? 1 : 0;
        return seen > after;
      },
    });
  }
  let state = 0;
  const onEvent = (event: { readonly type: string }) => {
    if (event.type === 'StateEntered' && state++ === killAt) setTimeout(() => void loop.deployment.function().kill(), killAfter);
  };
  const { status, error, record } = await loop.run({ prompt: `${turns}`, taskId: task, session }, { onEvent: onEvent as never, name: `run-${seed}` });
  const branch = loop.branches().includes(`workbench/${task}`);
  const commits = branch ? Number(loop.git('rev-list', '--count', `main..workbench/${task}`)) : 0;
  check(commits <= 1, `${commits} commits`);
  if (branch) check(loop.show(`workbench/${task}`) === 'right\n', 'a red commit');
  if (status === 'SUCCEEDED') {
    check(record.outcome === 'COMMITTED' && commits === 1, `${record.outcome} with ${commits} commits`);
    check(record.commit!.id === loop.git('rev-parse', `workbench/${task}`).trim(), 'another commit');
  }
  check(status === 'SUCCEEDED' || status === 'FAILED', status);
  check(status === 'SUCCEEDED' || /^(?:CodingLoop|Workbench|Lambda|Runtime|Sandbox)\./.test(error ?? ''), `an error without a name of ours: ${error}`);
  const last = loop.server.calls.all.filter((call) => call.sessionId === session.id).pop();
  const stopped = last?.operation === 'StopRuntimeSession' && [200, 404].includes(last.outcome?.statusCode ?? 0);
  check(stopped || error === 'CodingLoop.NotStopped' || record?.session?.error !== undefined, `the session is left, and nobody says so: ${last?.operation} ${JSON.stringify(last?.outcome)}`);
  return status === 'SUCCEEDED' ? record.outcome : error!;
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
