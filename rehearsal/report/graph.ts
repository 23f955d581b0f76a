import { escape } from './html';
import type { Definition, State } from '../stepfunctions';

const ROW = 52;
const BOX = { width: 300, height: 32 };
const MARGIN = 170;
/** Characters of a state's name that have room in a box. */
const NAME_LENGTH = 38;

interface Edge {
  readonly from: string;
  readonly to: string;
}

/** The state machine as a column, each state below those that lead to it, with the path that the run took. */
export function graphOf(definition: Definition, path: readonly string[]): string {
  const taken = new Map<string, number>();
  path.slice(1).forEach((to, index) => taken.set(`${path[index]}\n${to}`, (taken.get(`${path[index]}\n${to}`) ?? 0) + 1));
  const order = ordered(definition);
  const row = new Map(order.map((name, index) => [name, index]));
  const visits = (name: string) => path.filter((state) => state === name).length;
  const edges = order.flatMap((from) => [...new Set(nextOf(definition.States[from]))].map((to) => ({ from, to })));
  // Nearly all states can fail: those ways are only shown where the run went.
  const failures = order.flatMap((from) => catchesOf(definition.States[from]).map((to) => ({ from, to })))
    .filter(({ from, to }) => taken.has(`${from}\n${to}`) && !edges.some((edge) => edge.from === from && edge.to === to));
  const lines = [...edges, ...failures]
    .sort((a, b) => Number(taken.has(`${a.from}\n${a.to}`)) - Number(taken.has(`${b.from}\n${b.to}`)))
    .map((edge) => line(edge, row, taken.get(`${edge.from}\n${edge.to}`) ?? 0));
  const height = order.length * ROW + 8;
  const width = BOX.width + 2 * MARGIN;
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="The states of the loop, and the way that the run took">
<defs>${['', 'taken'].map((kind) => `<marker id="arrow${kind}" class="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>`).join('')}</defs>
${lines.join('\n')}
${order.map((name, index) => node(name, index, visits(name))).join('\n')}
</svg>`;
}

function node(name: string, index: number, visits: number): string {
  const label = `${name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH - 1)}…` : name}${visits > 1 ? ` ×${visits}` : ''}`;
  return `<g class="node ${visits > 0 ? 'taken' : 'dim'}"><rect x="${MARGIN}" y="${index * ROW + 4}" width="${BOX.width}" height="${BOX.height}" rx="6"/>`
    + `<text x="${MARGIN + BOX.width / 2}" y="${index * ROW + 25}" text-anchor="middle">${escape(label)}</text><title>${escape(name)}</title></g>`;
}

/** Straight down to the next row; around on the right to one further down, on the left to one above. */
function line({ from, to }: Edge, row: ReadonlyMap<string, number>, times: number): string {
  const [start, end] = [row.get(from)!, row.get(to)!];
  const kind = times > 0 ? 'taken' : '';
  const attributes = `class="edge ${kind}" marker-end="url(#arrow${kind})"`;
  if (end === start + 1) {
    const x = MARGIN + BOX.width / 2;
    return `<path ${attributes} d="M${x} ${start * ROW + 4 + BOX.height}V${end * ROW + 3}"/>`;
  }
  const right = end > start;
  const edge = right ? MARGIN + BOX.width : MARGIN;
  const bulge = Math.min(MARGIN - 12, 24 + Math.abs(end - start) * 14);
  const x = right ? edge + bulge * 1.3 : edge - bulge * 1.3;
  const [y1, y2] = [start * ROW + 4 + BOX.height / 2, end * ROW + 4 + BOX.height / 2];
  return `<path ${attributes} d="M${edge} ${y1}C${x} ${y1} ${x} ${y2} ${edge + (right ? 1 : -1)} ${y2}"/>`;
}

/** Each state after those that lead to it, as far as there are no circles; the ways of failure come last. */
function ordered(definition: Definition): string[] {
  const seen = new Set<string>();
  const done: string[] = [];
  const visit = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    const state = definition.States[name];
    [...catchesOf(state), ...nextOf(state).reverse()].forEach(visit);
    done.push(name);
  };
  visit(definition.StartAt);
  return done.reverse();
}

function nextOf(state: State): string[] {
  const choices = (state.Choices as { readonly Next: string }[] | undefined) ?? [];
  const all = [state.Next as string | undefined, ...choices.map(({ Next }) => Next), state.Default as string | undefined];
  return all.filter((name) => name !== undefined);
}

function catchesOf(state: State): string[] {
  return [...new Set(((state.Catch ?? []) as unknown as { readonly Next: string }[]).map(({ Next }) => Next))];
}
