import { PUT_AWAY } from './notes';
import type { RunDescription } from './run-description';
import type { Step } from './step';
import { AGENT_ERRORS } from '../agent/constants';
import { counted } from '../handler/counted';
import { OUTCOMES } from '../loop/steps/constants';
import { named } from '../loop/steps/results';

/** Determines whether a run did what it was asked for. An unknown outcome is not good. */
export function isGood({ outcome, error }: Pick<RunDescription, 'outcome' | 'error'>): boolean {
  return error === undefined && (outcome === OUTCOMES.COMMITTED || outcome === OUTCOMES.NO_CHANGES);
}

/** Says when a run ended, such as `after 2 turns in 8.1 s`. A turn during which the run ended is not counted. */
export function endOf({ steps, outcome, error, seconds }: Pick<RunDescription, 'steps' | 'outcome' | 'error' | 'seconds'>): string {
  const time = `${seconds.toFixed(1)} s`;
  const turns = new Set(steps.filter(({ kind }) => kind === 'turn').map(({ round }) => round)).size;
  const last = steps.filter(({ kind }) => kind !== 'stop').at(-1);
  if (turns === 0) return `before the first turn, after ${time}`;
  if (!isGood({ outcome, error }) && last?.kind === 'turn') return `in turn ${last.round + 1}, after ${time}`;
  return `after ${counted(turns, 'turn')} in ${time}`;
}

/** Explains outcomes that are not clear by themselves, a sentence each. */
export function meaningOf({ outcome, output }: Pick<RunDescription, 'outcome' | 'output'>): string[] {
  const { findings: { putAway } = {}, gates = [] } = output ?? {};
  return [
    ...outcome === OUTCOMES.NO_CHANGES ? ['the agent changed nothing, and all gates pass on the files as they were'] : [],
    ...outcome === OUTCOMES.COMMITTED && gates.length > 0 && gates.every(({ greenBefore }) => greenBefore)
      ? [`${gates.length === 1 ? 'the gate was' : 'all gates were'} green before the agent started: that ${gates.length === 1 ? 'it passes' : 'they pass'} now proves nothing about the task`] : [],
    ...putAway === undefined ? [] : [`${PUT_AWAY}: ${named(putAway).join(', ')}`],
  ];
}

/** An error in one line: what follows is the output that it quotes. */
export function summaryOf(message: string): string {
  return message.trim().split('\n')[0].replace(/:\s*$/, '');
}

/** The message of a run's error. A step that failed shows the output that its message quotes; that of an agent's error says what to do. */
export function messageOf({ steps, error }: Pick<RunDescription, 'steps' | 'error'>): string {
  const { name, message } = error!;
  const isOfAgent = (Object.values(AGENT_ERRORS) as string[]).includes(name);
  return !isOfAgent && steps.some((step) => step.error?.message === message) ? summaryOf(message) : message;
}

/** The error of a failed step, without the output that the step shows itself. */
export function errorOf({ error, output, log }: Step): string | undefined {
  if (error === undefined) return undefined;
  const isShown = (output ?? '') !== '' || (log ?? '') !== '';
  return `${error.name}: ${isShown ? summaryOf(error.message) : error.message.trim()}`;
}
