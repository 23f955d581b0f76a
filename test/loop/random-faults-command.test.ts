import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentTurn, Gate } from '../../src';
import { assertAllStruck, FIRST_SEED, runSchedules, SCHEDULES } from '../support/fault-schedules';
import { LoopFixture } from '../support/loop-fixture';

/** Correct in the round that the prompt names; before that, wrong in a different way each time. */
const TURN = 'read -r prompt; case "$prompt" in *"$WORKBENCH_ROUND"*) echo right ;; *) letters=abcdef; echo "wrong-${letters:WORKBENCH_ROUND:1}" ;; esac > value.txt';

describe('random faults in a loop whose agent is a command', () => {
  let loop: LoopFixture;
  beforeAll(async () => {
    loop = await LoopFixture.start({
      loop: (shared) => ({
        turn: AgentTurn.command(`echo "$WORKBENCH_JOB" >> ${shared}/starts; ${TURN}`),
        gates: [Gate.command('test', `echo "$WORKBENCH_JOB" >> ${shared}/starts; ./test.sh`)],
      }),
    });
  }, 60_000);
  afterAll(() => loop.close(), 60_000 + SCHEDULES * 1_000);

  test(`${SCHEDULES} schedules from seed ${FIRST_SEED}`, async () => {
    const { faults, struck } = await runSchedules(loop, ['InvokeAgentRuntimeCommand', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession']);
    expect(faults).toEqual([]);
    // Some faults may strike calls other than those of a run.
    assertAllStruck(struck, ['InvokeAgentRuntimeCommand', 'StopRuntimeSession']);
    const jobs = readFileSync(join(loop.shared, 'starts'), 'utf8').trim().split('\n');
    expect(jobs.filter((job, index) => jobs.indexOf(job) !== index)).toEqual([]);
  }, 60_000 + SCHEDULES * 10_000);
});
