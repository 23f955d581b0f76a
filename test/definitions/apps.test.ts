import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { definitionsOf } from '../support/definitions';
import { byAslValidator, byLanguageService, byOurselves } from '../support/linters';

jest.setTimeout(120_000); // the first app loads the whole CDK

const ROOT = resolve(__dirname, '../..');
const APPS = [
  ...readdirSync(join(ROOT, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => `examples/${name}/app.ts`),
  ...readdirSync(join(ROOT, 'integ')).filter((name) => /^integ\..*\.ts$/.test(name)).map((name) => `integ/${name}`),
];

/** Runs an app unchanged and returns the definitions of all state machines in its templates, including those that the CDK adds. */
function definitionsIn(app: string): [machine: string, definition: object][] {
  const directory = mkdtempSync(join(tmpdir(), 'definitions-'));
  const { CDK_OUTDIR: before } = process.env;
  process.env.CDK_OUTDIR = directory;
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an app is what happens when it is loaded
    require(join(ROOT, app));
    const templates = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.template.json'));
    expect(templates).not.toEqual([]);
    return templates.flatMap((name) => Object.entries(definitionsOf(JSON.parse(readFileSync(join(directory, name), 'utf8')))));
  } finally {
    if (before === undefined) delete process.env.CDK_OUTDIR;
    else process.env.CDK_OUTDIR = before;
    rmSync(directory, { recursive: true });
  }
}

let machines = 0;

test.each(APPS)('every state machine of %s passes two linters and the rules of this project', async (app) => {
  for (const [machine, definition] of definitionsIn(app)) {
    machines++;
    const found = [...byAslValidator(definition), ...await byLanguageService(definition), ...byOurselves(definition as never)];
    expect({ machine, found }).toEqual({ machine, found: [] });
  }
});

test('the apps contain state machines', () => {
  expect(machines).toBeGreaterThan(APPS.length / 2);
});
