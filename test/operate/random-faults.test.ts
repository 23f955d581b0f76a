/** A loop that leaves artifacts and sends events ends as one that does not, whatever fails, and what it leaves is true. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BusEvent, KeptFiles } from '../../rehearsal/aws';
import { AgentTurn, RunArtifacts, RunBudget, RunEvents } from '../../src';
import type { RunRecord as DriverRecord } from '../../src/loop/steps/records';
import type { RunEventDetail } from '../../src/loop/steps/run-events';
import { testSchedules } from '../support/fault-schedules';
import { check } from '../support/run-oracle';

/** Correct in the round that the prompt names; before that, wrong in a different way each time. */
const TURN = 'read -r prompt; case "$prompt" in *"$WORKBENCH_ROUND"*) echo right ;; *) letters=abcdef; echo "wrong-${letters:WORKBENCH_ROUND:1}" ;; esac > value.txt';

const operated = {
  artifacts: RunArtifacts.inBucket(),
  events: RunEvents.onDefaultBus(),
  budget: RunBudget.of({ turns: 10, agentMinutes: 60, sessionHours: 8, usd: 100 }),
  maxConcurrentRuns: 100,
};

describe('random faults in a loop with artifacts, events and a budget', () => {
  testSchedules(undefined, () => ({ turn: AgentTurn.command(TURN), ...operated }), ['InvokeAgentRuntimeCommand', 'StopRuntimeSession'], (loop, name, { record }) => {
    const { files } = loop.deployment;
    const told = KeptFiles.linesOf<BusEvent & { readonly detail: RunEventDetail }>(files.events)
      .filter(({ detail }) => detail.executionName === name)
      .map(({ 'detail-type': type, detail }) => ({ type: type.replace('CodingLoop Run ', ''), record: detail.record }));
    const finished = told.filter(({ type }) => type === 'Finished');
    // A run that the state machine ended without the driver is told by the rule for it, which a rehearsal does not run.
    if (record === undefined) return check(finished.length === 0, 'a run without an end is told as finished');
    const { bucket, prefix } = (record as unknown as DriverRecord).artifacts!;
    const kept: unknown = JSON.parse(readFileSync(join(files.artifacts, bucket, prefix, 'record.json'), 'utf8'));
    check(JSON.stringify(kept) === JSON.stringify(record), `the record in the bucket is another: ${JSON.stringify(kept)}`);
    check(finished.length > 0 && finished.every((event) => JSON.stringify(event.record) === JSON.stringify(record)), `told: ${JSON.stringify(told)}`);
    check(told.filter(({ type }) => type === 'Started').length > 0 || record.rounds === 0, 'the beginning was not told');
  });
});
