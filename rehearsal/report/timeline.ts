import { escape } from './html';
import type { Step } from '../run/journal';

const ROW = 26;
const NAMES = 230;
const WIDTH = 900;

/** Each step as a bar: when it began, and how long it took. */
export function timelineOf(steps: readonly Step[]): string {
  const end = Math.max(1, ...steps.map(({ begin, duration }) => begin + duration));
  const scale = (WIDTH - NAMES - 70) / end;
  const rows = steps.map((step, index) => {
    const [x, width, y] = [NAMES + step.begin * scale, Math.max(2, step.duration * scale), index * ROW];
    const kind = step.error !== undefined || (step.verdict !== undefined && step.verdict !== 'PASSED') ? 'bad' : step.verdict === 'PASSED' ? 'good' : '';
    return `<text x="0" y="${y + 17}">${escape(nameOf(step))}</text><rect class="bar ${kind}" x="${x}" y="${y + 4}" width="${width}" height="${ROW - 10}" rx="3"/>`
      + `<text x="${x + width + 6}" y="${y + 17}">${(step.duration / 1_000).toFixed(2)} s</text>`;
  });
  const height = steps.length * ROW;
  return `<div class="wide"><svg style="min-width: 40rem" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="When each step began, and how long it took">${rows.join('\n')}</svg></div>`;
}

export function nameOf(step: Step): string {
  return step.kind === 'turn' ? `${step.state} (turn ${step.round + 1})` : step.state;
}
