import { escape } from './html';
import { PASSING } from '../../loop/steps/constants';
import type { Step } from '../step';

/** Percent of a row's width: the rest is for the text behind the last bar. */
const BARS = 80;

/** Each step as a bar: when it began, and how long it took. */
export function timelineOf(steps: readonly Step[]): string {
  const end = Math.max(1, ...steps.map(({ begin, duration }) => begin + duration));
  const percent = (milliseconds: number) => `${(milliseconds / end * BARS).toFixed(2)}%`;
  const rows = steps.map((step) => {
    const kind = step.error !== undefined ? 'bad' : step.verdict === undefined ? '' : PASSING.includes(step.verdict) ? 'good' : 'bad';
    return `<div class="row"><span>${escape(nameOf(step))}</span><span class="track"><span class="bar ${kind}" style="margin-left: ${percent(step.begin)}; width: ${percent(step.duration)}"></span>`
      + `<span>${(step.duration / 1_000).toFixed(2)} s</span></span></div>`;
  });
  return `<div class="timeline" role="img" aria-label="When each step began, and how long it took">${rows.join('\n')}</div>`;
}

export function nameOf(step: Step): string {
  return step.kind === 'turn' ? `${step.state} (turn ${step.round + 1})` : step.state;
}
