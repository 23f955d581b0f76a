import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src';
import { assertAllStruck, FIRST_SEED, runSchedules, SCHEDULES } from '../support/fault-schedules';
import { LoopFixture } from '../support/loop-fixture';

describe('random faults in a loop that invokes its agent', () => {
  let loop: LoopFixture;
  beforeAll(async () => {
    loop = await LoopFixture.start({
      // Correct in the round that the prompt names; before that, wrong in a different way each time.
      agent: (_, { prompt, round }) => `echo ${prompt.split('\n')[0] === `${round}` ? 'right' : `wrong-${'abcdef'[round]}`} > value.txt`,
      loop: (shared) => ({ gates: [Gate.command('test', `echo "$WORKBENCH_JOB" >> ${shared}/starts; ./test.sh`)] }),
    });
  }, 60_000);
  afterAll(() => loop.close(), 60_000 + SCHEDULES * 1_000);

  test(`${SCHEDULES} schedules from seed ${FIRST_SEED}`, async () => {
    const { faults, struck } = await runSchedules(loop, ['InvokeAgentRuntime', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession']);
    expect(faults).toEqual([]);
    // Some faults may strike calls other than those of a run.
    assertAllStruck(struck, ['InvokeAgentRuntime', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession']);
    const starts = join(loop.shared, 'starts');
    const jobs = existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n') : [];
    expect(jobs.filter((job, index) => jobs.indexOf(job) !== index)).toEqual([]);
    const turns = loop.turns.map(({ taskId, round }) => `${taskId}, round ${round}`);
    expect(turns.filter((turn, index) => turns.indexOf(turn) !== index)).toEqual([]);
  }, 60_000 + SCHEDULES * 10_000);
});
