import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Ids of warnings, by the form that they have in a call or as a constant: those of tags are said in `rollout/constants.ts`. */
const IDS = SOURCES.filter((name) => name !== 'rollout/constants.ts')
  .flatMap((name) => [...readFileSync(join(ROOT, 'src', name), 'utf8').matchAll(/'(cdk-agentcore-workbench:[A-Za-z0-9]+)'/g)].map(([, id]) => id));

test('every warning is in the table of the README, and no other', () => {
  const table = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n## Warnings\n')[1].split('\n## ')[0];
  const told = [...table.matchAll(/^\| `(cdk-agentcore-workbench:[A-Za-z0-9]+)` \|/gm)].map(([, id]) => id);
  expect([...told].sort()).toEqual([...new Set(IDS)].sort());
  expect(told.length).toBeGreaterThan(8);
});
