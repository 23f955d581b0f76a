import * as fc from 'fast-check';
import { ForgeFaultSpec, ForgeFaults } from '../../rehearsal/forge';
import { Commit, Verification } from '../../src';
import { ForgeLoop, gitHubRepository } from '../support/forge-loop';

/**
 * Asserts the promises of a run that ends as a pull request, under any faults of the forge at any point: one commit, one branch and one pull request,
 * or none of a kind; never a red one, nothing of others lost, and no token in what the runs leave.
 *
 * WORKBENCH_FORGE_SCHEDULES sets the number of schedules, WORKBENCH_FAULT_SEED the first seed. A schedule takes about five seconds of one core.
 */
const SCHEDULES = Number(process.env.WORKBENCH_FORGE_SCHEDULES ?? 3);
const FIRST_SEED = Number(process.env.WORKBENCH_FAULT_SEED ?? 1);

jest.setTimeout(60_000 + SCHEDULES * 30_000);

type Strike = Pick<ForgeFaultSpec, 'operation' | 'at' | 'kind' | 'afterBytes'>;

const OPERATIONS = ['list', 'fetch', 'announce', 'push', 'api'] as const;
const POINTS = ['beforeStart', 'midRequest', 'beforeReply', 'midReply', 'afterReply'] as const;
const KINDS = ['reset', 'end', 500, 502, 503, 429, 'expireToken', 'moveBranch', 'deleteBranch'] as const;

/** The strikes that can happen. */
const STRIKES: readonly Strike[] = OPERATIONS.flatMap((operation) => POINTS.flatMap((at) => KINDS.map((kind) => ({ operation, at, kind }))))
  .filter((strike) => {
    try {
      new ForgeFaults().add({ ...strike, ...branchOf(strike, 'any') });
      return true;
    } catch {
      return false;
    }
  });

function branchOf({ kind }: Strike, branch: string): Partial<ForgeFaultSpec> {
  return kind === 'moveBranch' || kind === 'deleteBranch' ? { branch } : {};
}

/** Faults that each strike the n-th request of an operation. */
const schedule = fc.array(fc.record({ strike: fc.constantFrom(...STRIKES), nth: fc.integer({ min: 0, max: 4 }) }), { minLength: 1, maxLength: 3 });

let loops: ForgeLoop[];
beforeAll(async () => {
  const start = (verification?: Verification) => ForgeLoop.start({
    repository: gitHubRepository, agent: 'echo right > value.txt', loop: { commit: Commit.pullRequest(), verification },
  });
  loops = [await start(), await start(Verification.none())];
});
afterAll(async () => {
  await Promise.all(loops.map((loop) => loop.close()));
});

test(`${SCHEDULES} random schedules`, async () => {
  const results: { readonly record: { readonly outcome: string } }[] = [];
  let fired = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed++) {
    const [faults] = fc.sample(schedule, { seed, numRuns: 1 });
    const made = loops[seed % 2];
    const taskId = `task-${seed}`;
    const branch = `workbench/${taskId}`;
    const counts = new Map<string, number>();
    made.forge.faults.clear();
    const added = faults.map(({ strike, nth }) => {
      const key = JSON.stringify([strike, nth]);
      return made.forge.faults.add({
        ...strike,
        ...branchOf(strike, branch),
        match: () => {
          counts.set(key, (counts.get(key) ?? 0) + 1);
          return counts.get(key)! > nth;
        },
      });
    });
    const result = await made.run({ taskId });
    results.push(result);
    fired += added.filter((fault) => fault.fired > 0).length;
    const problem = problemOf(made, branch, result.record);
    if (problem !== undefined) throw new Error(`seed ${seed}: ${problem}\n${JSON.stringify(faults)}\n${JSON.stringify(result.record, undefined, 1)}`);
  }
  const outcomes = results.map(({ record }) => record.outcome);
  console.log(JSON.stringify(outcomes.reduce<Record<string, number>>((sum, one) => ({ ...sum, [one]: (sum[one] ?? 0) + 1 }), {})), `${fired} faults`);
  expect(fired).toBeGreaterThan(0);
  // Most faults are mended.
  expect(outcomes.filter((outcome) => outcome === 'COMMITTED').length).toBeGreaterThan(SCHEDULES / 3);
  expect(loops.flatMap((made) => made.leaks(results))).toEqual([]);
});

/** Returns what a run has not kept of its promises. */
function problemOf(made: ForgeLoop, branch: string, record: Awaited<ReturnType<ForgeLoop['run']>>['record']): string | undefined {
  const is = made.loop.branches().includes(branch);
  const commits = is ? made.loop.git('log', '--format=%H %an', `main..${branch}`).trim().split('\n').filter((line) => line !== '') : [];
  const ours = commits.filter((line) => line.endsWith('AgentCore Workbench'));
  const pulls = made.state.pulls.filter(({ head }) => head === branch);
  if (ours.length > 1) return `${ours.length} commits`;
  if (pulls.length > 1) return `${pulls.length} pull requests`;
  if (ours.length === 1 && made.loop.git('show', `${ours[0].split(' ')[0]}:value.txt`) !== 'right\n') return 'a commit that is red';
  // Without the whole of the input, there is no record.
  if (record?.outcome === undefined) return 'no record';
  if (record.outcome !== 'COMMITTED') return undefined;
  if (record.pullRequest === undefined || pulls.length !== 1) return 'no pull request';
  // Others may have deleted the branch after the push had arrived.
  return !is || ours.some((line) => line.startsWith(record.commit!.id)) ? undefined : 'the commit of the record is not on the branch';
}
