import * as fc from 'fast-check';
import { Gate, Verification } from '../../src';
import { ACCIDENTS, INSTALL, NEED, ONLY_IN_WORKSPACE, TEST } from '../support/accidents';
import { atOnce, FIRST_SEED, inject, isVerified, scheduleOf } from '../support/fault-schedules';
import { LoopFixture } from '../support/loop-fixture';
import { judge, noted, openForAll, sessionsOf } from '../support/run-oracle';

/**
 * A well-meaning agent that leaves all kinds of files; in half of the runs, faults strike. Whatever a run commits, a fresh clone of it passes the
 * bootstrap and the gate. One of five runs has a loop that does not verify, and none of the accidents that pass in the workspace alone.
 *
 * WORKBENCH_ACCIDENTS sets the number of runs, WORKBENCH_FAULT_SEED the first seed. `.ci/nightly` runs a thousand.
 */
const RUNS = Number(process.env.WORKBENCH_ACCIDENTS ?? 8);

const OPERATIONS = ['InvokeAgentRuntime', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession'] as const;

type Accident = keyof typeof ACCIDENTS | keyof typeof ONLY_IN_WORKSPACE;

const SCRIPTS: { readonly [name in Accident]: string } = { ...ACCIDENTS, ...ONLY_IN_WORKSPACE };

function caseOf(seed: number) {
  const anywhere = fc.constantFrom(...Object.keys(ACCIDENTS) as Accident[]);
  const only = fc.constantFrom(...Object.keys(ONLY_IN_WORKSPACE) as Accident[]);
  const accident = isVerified(seed) ? fc.oneof({ weight: 3, arbitrary: anywhere }, { weight: 2, arbitrary: only }) : anywhere;
  return fc.sample(fc.record({
    accidents: fc.uniqueArray(accident, { minLength: 1, maxLength: 4 }),
    // In its second round, the agent does without what the gate misses.
    repairs: fc.boolean(),
    faults: fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined }),
  }), { seed, numRuns: 1 })[0];
}

const seeds = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);

describe.each([
  ['with a verification', Verification.inFreshSession(), seeds.filter(isVerified)],
  ['without a verification', Verification.none(), seeds.filter((seed) => !isVerified(seed))],
] as const)('%s', (_, verification, ours) => {
  const found: string[] = [];
  const outcomes: { [outcome: string]: number } = {};
  const verified = verification._verifies;
  let loop: LoopFixture;
  let commands: string[] = [];

  beforeAll(async () => {
    loop = await LoopFixture.start({
      files: { 'test.sh': TEST, 'needs.txt': 'value.txt\n', 'deps.txt': 'base\n', '.gitignore': 'lib/\n*.secret\ndist/\nnode_modules/\ndeps/\n*.log\n', 'keep/me': 'x\n' },
      agent: (__, { round, taskId }) => scriptOf(taskId, round),
      loop: (shared) => {
        commands = [INSTALL, noted('./test.sh', shared)];
        return { maxRepairs: 2, bootstrap: [INSTALL], gates: [Gate.command('test', commands[1])], verification };
      },
    });
    openForAll(loop);
  }, 60_000);
  afterAll(() => loop.close(), 60_000 + ours.length * 1_000);

  function scriptOf(task: string, round: number): string {
    const { accidents, repairs } = caseOf(Number(task.slice('task-'.length)));
    const script = accidents.map((name, index) => `# ${name}\nP=p${index}; ${SCRIPTS[name]}`).join('\n');
    return `TASK=${task}; ${NEED}\necho right > value.txt\n${round > 0 && repairs ? ': > needs.txt' : script}\ntrue`;
  }

  async function run(one: LoopFixture, seed: number): Promise<void> {
    const name = `task-${seed}`;
    const { faults } = caseOf(seed);
    const strikes = faults === undefined ? undefined : inject(one, sessionsOf(one, name), scheduleOf(faults, OPERATIONS), verified);
    const result = await one.run({ taskId: name }, { name, onEvent: strikes?.onEvent as never });
    const outcome = result.record?.outcome ?? result.error;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const expected = strikes === undefined ? /^(?:COMMITTED|CodingLoop\.(?:Red|Stuck|SnapshotFailed))$/ : /^(?:COMMITTED|(?:CodingLoop|Workbench)\.\w+)$/;
    if (!expected.test(outcome)) throw new Error(`${outcome}: ${result.cause}`);
    judge({ loop: one, name, branch: `workbench/${name}`, result, verified, commands });
  }

  test(`whatever an agent leaves, a fresh clone of what was pushed passes the bootstrap and the gate, in ${ours.length} runs`, async () => {
    await atOnce(loop, ours, (one, seed) => run(one, seed).catch((error: Error) => {
      found.push(`seed ${seed}: ${error.message} ${JSON.stringify(caseOf(seed))}`);
    }));
    const repairs = loop.turns.filter(({ feedback }) => feedback?.cleanCheckout).length;
    process.stdout.write(`${ours.length} runs from seed ${ours[0]}: ${JSON.stringify(outcomes)}; ${repairs} repairs of what fails in a clean checkout\n`);
    expect(found).toEqual([]);
    // A verification had something to find.
    expect(!verified || ours.length < 10 || repairs > 0).toBe(true);
  }, 60_000 + ours.length * 60_000);
});
