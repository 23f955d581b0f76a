import { escape } from './html';
import type { Definition, State } from '../definition';

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'next' | 'catch';
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const BOX = { width: 250, height: 38 } as const;
const GAP = { x: 120, y: 26 } as const;
const MARGIN = { left: 130, top: 16, right: 24, bottom: 16 } as const;

/** Colors for light and dark mode, as the reader has set it. */
const STYLE = `
.graph { --ink: #1f2328; --line: #6e7781; --task: #ffffff; --choice: #f3f0ff; --end: #eafbee; --fail: #ffebe9; --seen: #0969da; --faint: #d0d7de;
  font: 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .graph { --ink: #e6edf3; --line: #8b949e; --task: #161b22; --choice: #1f1a36; --end: #12261a; --fail: #2d1214; --seen: #58a6ff; --faint: #30363d; } }
.graph rect { stroke: var(--line); fill: var(--task); } .graph .Choice rect { fill: var(--choice); } .graph .Succeed rect { fill: var(--end); }
.graph .Fail rect { fill: var(--fail); } .graph text { fill: var(--ink); text-anchor: middle; dominant-baseline: central; }
.graph path { fill: none; stroke: var(--line); stroke-width: 1.2; } .graph .seen rect { stroke: var(--seen); stroke-width: 2.2; }
.graph path.seen { stroke: var(--seen); stroke-width: 2.2; } .graph .unseen { opacity: .45; } .graph .note { font-size: 11px; fill: var(--line); }
.graph marker path { fill: var(--line); stroke: none; } .graph marker.seen path { fill: var(--seen); }`;

/**
 * Draws a state machine as an SVG: the longest path to an end without a failure from top to bottom, transitions back on its left, and all
 * other states on its right. Transitions of caught errors are drawn only where an execution took them: nearly every task has one, so a note at
 * the state that they lead to stands for them.
 *
 * @param path states that an execution entered, in order, which are highlighted
 */
export function stateGraph(definition: Definition, path?: readonly string[]): string {
  const edges = edgesOf(definition);
  const main = mainPath(definition, edges);
  const places = placesOf(definition, edges, main);
  const visits = path && countOf(path);
  const taken = new Set(path?.slice(1).map((to, index) => `${path[index]}\n${to}`));
  const isTaken = ({ from, to }: Edge) => taken.has(`${from}\n${to}`);
  const next = edges.filter(({ kind }) => kind === 'next');
  const caught = edges.filter((edge) => edge.kind === 'catch' && isTaken(edge) && !next.some(({ from, to }) => from === edge.from && to === edge.to));
  const back = next.filter(({ from, to }) => isBack(from, to, main));
  const drawn = [...next, ...caught];
  const draw = (kind: '' | 'seen') => (edge: Edge) => `<path class="${kind}" marker-end="url(#arrow${kind})" d="${line(edge, places, main, back.indexOf(edge))}"/>`;
  const lines = [...drawn.filter((edge) => !isTaken(edge)).map(draw('')), ...drawn.filter(isTaken).map(draw('seen'))];
  const boxes = [...places].map(([name, place]) => box(name, definition.States[name], place, visits, noteOf(name, edges)));
  const width = Math.max(...[...places.values()].map(({ x }) => x)) + BOX.width + MARGIN.right;
  const height = Math.max(...[...places.values()].map(({ y }) => y)) + BOX.height + MARGIN.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="State graph${path ? ', with the path of the run' : ''}">`,
    `<style>${STYLE}</style>`,
    `<defs>${(path ? ['', 'seen'] : ['']).map(marker).join('')}</defs>`,
    ...lines,
    ...boxes,
    '</svg>',
  ].join('\n');
}

function marker(kind: string): string {
  return `<marker id="arrow${kind}" class="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>`;
}

function countOf(path: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of path) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function edgesOf({ States }: Definition): Edge[] {
  return Object.entries(States).flatMap(([from, state]) => {
    const choices = (state.Choices ?? []) as readonly { readonly Next: string }[];
    const next = [state.Next as string | undefined, ...choices.map(({ Next }) => Next), state.Default as string | undefined];
    const catches = (state.Catch ?? []) as readonly { readonly Next?: string }[];
    const unique = [...new Set(next.filter((to) => to !== undefined))];
    return [
      ...unique.map((to): Edge => ({ from, to, kind: 'next' })),
      ...catches.map(({ Next }): Edge => ({ from, to: Next!, kind: 'catch' })),
    ];
  });
}

/** The longest path from the start to an end that is not a failure, without a repetition. */
function mainPath({ StartAt, States }: Definition, edges: Edge[]): string[] {
  let best: string[] = [StartAt];
  const walk = (path: string[]) => {
    const here = path[path.length - 1];
    const following = edges.filter(({ from, kind }) => from === here && kind === 'next').map(({ to }) => to);
    if (following.length === 0 && States[here].Type !== 'Fail' && path.length > best.length) best = path;
    for (const to of following) if (!path.includes(to)) walk([...path, to]);
  };
  walk([StartAt]);
  return best;
}

function isBack(from: string, to: string, main: string[]): boolean {
  return main.includes(from) && main.includes(to) && main.indexOf(to) <= main.indexOf(from);
}

function placesOf({ States }: Definition, edges: Edge[], main: string[]): Map<string, Place> {
  const row = (index: number) => MARGIN.top + index * (BOX.height + GAP.y);
  const places = new Map(main.map((name, index): [string, Place] => [name, { x: MARGIN.left, y: row(index) }]));
  const others = Object.keys(States).filter((name) => !places.has(name));
  // Next to the first state that leads there, or in the next free row below.
  let free = 0;
  for (const name of others) {
    const ways = edges.filter(({ to }) => to === name);
    const next = ways.filter(({ kind }) => kind === 'next');
    const rows = (next.length > 0 ? next : ways).map(({ from }) => main.indexOf(from)).filter((index) => index >= 0);
    const after = next.some(({ from }) => others.includes(from));
    const index = Math.max(free, after ? 0 : Math.min(...rows, main.length - 1));
    places.set(name, { x: MARGIN.left + BOX.width + GAP.x, y: row(index) });
    free = index + 1;
  }
  return places;
}

function line({ from, to }: Edge, places: Map<string, Place>, main: string[], backIndex: number): string {
  const a = places.get(from)!;
  const b = places.get(to)!;
  const middle = { a: a.y + BOX.height / 2, b: b.y + BOX.height / 2 };
  if (backIndex >= 0) {
    const x = a.x - 18 - backIndex * 14 % 100;
    return `M${a.x} ${middle.a}C${x - 12} ${middle.a} ${x} ${middle.a} ${x} ${middle.a - 14}L${x} ${middle.b + 20}C${x} ${middle.b + 6} ${x} ${middle.b + 6} ${b.x} ${middle.b + 6}`;
  }
  if (a.x === b.x && Math.abs(b.y - a.y) <= BOX.height + GAP.y) return `M${a.x + BOX.width / 2} ${a.y + BOX.height}L${b.x + BOX.width / 2} ${b.y}`;
  if (a.x === b.x) {
    const x = a.x + BOX.width + 14 + main.indexOf(from) % 4 * 8;
    return `M${a.x + BOX.width} ${middle.a}C${x} ${middle.a} ${x} ${middle.a} ${x} ${middle.a + 14}L${x} ${middle.b - 20}C${x} ${middle.b - 6} ${x} ${middle.b - 6} ${b.x + BOX.width} ${middle.b - 6}`;
  }
  const x = b.x - 24 - main.indexOf(from) % 6 * 8;
  return `M${a.x + BOX.width} ${middle.a}L${x} ${middle.a}L${x} ${middle.b}L${b.x} ${middle.b}`;
}

/** The states whose errors lead to this one: by name if they are few. */
function noteOf(name: string, edges: Edge[]): string {
  const sources = [...new Set(edges.filter(({ to, kind }) => to === name && kind === 'catch').map(({ from }) => from))];
  if (sources.length === 0) return '';
  const names = sources.join(', ');
  return sources.length > 2 ? 'after an error of any other state' : `after an error of ${names.length > 40 ? `${names.slice(0, 40)}…` : names}`;
}

function box(name: string, state: State, { x, y }: Place, visits: ReadonlyMap<string, number> | undefined, note: string): string {
  const count = visits?.get(name) ?? 0;
  const classes = [state.Type, visits === undefined ? '' : count > 0 ? 'seen' : 'unseen'].join(' ').trim();
  const radius = state.Type === 'Choice' ? BOX.height / 2 : 6;
  const label = count > 1 ? `${name} ×${count}` : name;
  const above = note === '' ? '' : `<text class="note" x="${x + BOX.width / 2}" y="${y - 9}">${escape(note)}</text>`;
  return `<g class="${classes}"><rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="${radius}"/>`
    + `<text x="${x + BOX.width / 2}" y="${y + BOX.height / 2}">${escape(label)}</text>${above}</g>`;
}
