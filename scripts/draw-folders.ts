/**
 * Draws which folder imports which in docs/architecture.md, for `src/` and `rehearsal/`. Fails if folders import each other.
 *
 * An arrow that follows from others is left out: if a imports b and b imports c, then a may import c as well.
 */
import { execFileSync } from 'child_process';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

const ROOT = join(__dirname, '..');
const PAGE = join(ROOT, 'docs/architecture.md');

interface Graph {
  readonly modules: { readonly source: string; readonly dependencies: { readonly resolved: string }[] }[];
}

/** Folders of the third level that stand on their own: they run in a Lambda function. */
const APART = /^src\/(loop\/steps|rollout\/handler)\//;

function folderOf(file: string): string | undefined {
  const folder = APART.exec(file)?.[0].slice(0, -1) ?? file.split('/').slice(0, -1).slice(0, 2).join('/');
  return folder.includes('/') ? folder : undefined; // an index or an entry at the top imports all others
}

function importsOf({ modules }: Graph): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    const from = folderOf(source);
    if (from === undefined) continue;
    const targets = imports.get(from) ?? imports.set(from, new Set()).get(from)!;
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved);
      if (to !== undefined && to !== from) targets.add(to);
    }
  }
  return imports;
}

/** All folders that can be reached from one, itself only if folders import each other. */
function reachable(imports: ReadonlyMap<string, ReadonlySet<string>>, from: string): Set<string> {
  const seen = new Set<string>();
  const next = [...imports.get(from) ?? []];
  for (let folder = next.pop(); folder !== undefined; folder = next.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    next.push(...imports.get(folder) ?? []);
  }
  return seen;
}

function diagramOf(top: string, imports: ReadonlyMap<string, ReadonlySet<string>>): string {
  const folders = [...imports.keys()].filter((folder) => folder.startsWith(`${top}/`)).sort();
  const id = (folder: string) => folder.replace(/\W/g, '_');
  const arrows = folders.flatMap((from) => {
    if (reachable(imports, from).has(from)) throw new Error(`${from} is in a circle of folders that import each other: "npx depcruise" shows the files`);
    const targets = [...imports.get(from)!].filter((to) => to.startsWith(`${top}/`)).sort();
    return targets.filter((to) => !targets.some((other) => other !== to && reachable(imports, other).has(to))).map((to) => `  ${id(from)} --> ${id(to)}`);
  });
  return ['```mermaid', 'flowchart TD', ...folders.map((folder) => `  ${id(folder)}["${folder.slice(top.length + 1)}"]`), ...arrows, '```'].join('\n');
}

const graph = JSON.parse(execFileSync(process.execPath, [join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--output-type', 'json', 'src', 'rehearsal'],
  { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 })) as Graph;
const imports = importsOf(graph);
const page = readFileSync(PAGE, 'utf8').replace(/(<!-- drawn: (\w+) -->\n).*?(\n<!-- end -->)/gs, (_, start: string, top: string, end: string) => `${start}${diagramOf(top, imports)}${end}`);
writeFileSync(PAGE, page);
