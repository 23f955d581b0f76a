import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { preProcessFile } from 'typescript';

const ROOT = join(__dirname, '../../rehearsal');

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Imports of a file in the rehearsal, including types. */
function importsOf(file: string): string[] {
  const { importedFiles } = preProcessFile(readFileSync(join(ROOT, file), 'utf8'));
  return importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => relative(ROOT, join(ROOT, dirname(file), fileName)))
    .flatMap((path) => [`${path}.ts`, join(path, 'index.ts')].filter((candidate) => files.includes(candidate)));
}

/** The first cycle, as a path that ends where it starts. */
function circleIn(graph: ReadonlyMap<string, Iterable<string>>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (finished.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next, [...path, node]);
      if (circle) return circle;
    }
    finished.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = visit(node, []);
    if (circle) return circle;
  }
  return undefined;
}

const byFile = new Map(files.map((file) => [file, importsOf(file)]));

test('finds a cycle in a graph that has one', () => {
  expect(circleIn(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]]))).toEqual(['b', 'c', 'b']);
});

test('no file imports itself through others, including type imports', () => {
  expect(byFile.get('rehearsal.ts')).toContain('run/local-run.ts');
  expect(circleIn(byFile)).toBeUndefined();
});

test('no folder imports itself through others', () => {
  const byFolder = new Map<string, Set<string>>();
  for (const [file, imports] of byFile) {
    const folder = dirname(file);
    const others = byFolder.get(folder) ?? new Set();
    imports.map((each) => dirname(each)).filter((each) => each !== folder).forEach((each) => others.add(each));
    byFolder.set(folder, others);
  }
  expect(byFolder.get('cli')).toContain('run');
  expect(circleIn(byFolder)).toBeUndefined();
});
