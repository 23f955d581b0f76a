import { testSchedules } from '../support/fault-schedules';

/** Correct in the round that the prompt names; before that, wrong in a different way each time. */
const agent = (_: number, { prompt, round }: { prompt: string; round: number }) => `echo ${prompt.split('\n')[0] === `${round}` ? 'right' : `wrong-${'abcdef'[round]}`} > value.txt`;

describe('random faults in a loop that invokes its agent', () => {
  testSchedules(agent, () => ({}), ['InvokeAgentRuntime', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession']);
});
