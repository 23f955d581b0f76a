import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** IDs of warnings, by their form in a call or a constant. Tags, in the constants of the rollout, have the same form. */
const IDS = SOURCES.filter((name) => !/^rollout\/.*constants\.ts$/.test(name))
  .flatMap((name) => [...readFileSync(join(ROOT, 'src', name), 'utf8').matchAll(/'(cdk-agentcore-workbench:[A-Za-z0-9]+)'/g)].map(([, id]) => id));

test('the table of docs/warnings.md lists exactly the existing warnings', () => {
  const table = readFileSync(join(ROOT, 'docs/warnings.md'), 'utf8');
  const told = [...table.matchAll(/^\| `(cdk-agentcore-workbench:[A-Za-z0-9]+)` \|/gm)].map(([, id]) => id);
  expect([...told].sort()).toEqual([...new Set(IDS)].sort());
  expect(told.length).toBeGreaterThan(8);
});
