import { AgentTurn } from '../../src';
import { testSchedules } from '../support/fault-schedules';

/** Correct in the round that the prompt names; before that, wrong in a different way each time. */
const TURN = 'read -r prompt; case "$prompt" in *"$WORKBENCH_ROUND"*) echo right ;; *) letters=abcdef; echo "wrong-${letters:WORKBENCH_ROUND:1}" ;; esac > value.txt';

describe('random faults in a loop whose agent is a command', () => {
  testSchedules(undefined, (shared) => ({ turn: AgentTurn.command(`echo "$WORKBENCH_JOB" >> ${shared}/starts; ${TURN}`) }), [
    'InvokeAgentRuntimeCommand', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession',
  ]);
});
