/** Asserts that the services can match every policy that an example or an integration test deploys. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Assembly } from '../../rehearsal/assembly';
import { everythingIn } from '../support/everything';
import { checkPolicies } from '../support/template-policies';

jest.setTimeout(300_000);

const ROOT = resolve(__dirname, '../..');
const directories = (path: string) =>
  readdirSync(join(ROOT, path), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();

/** Objections of the data to statements that work, with the reasons why they do. */
const EXCEPTIONS: readonly { readonly fault: RegExp; readonly because: string }[] = [
  {
    fault: /: states:ListStateMachines takes no resource/,
    because: '`StateMachine.grantRead` of the CDK: nobody here lists state machines, and the rest of that statement holds',
  },
  {
    fault: /: states:SendTask(Success|Failure|Heartbeat) takes no resource/,
    because: 'the service names the state machine when it denies these, and `StateMachine.grantTaskResponse` of the CDK, which grants on it, was tried live',
  },
];

async function faultsIn(assembly: string): Promise<{ readonly faults: string[]; readonly statements: number }> {
  const checked = await Promise.all(Assembly.load(assembly).stacks.map((stack) => checkPolicies(stack)));
  return {
    faults: checked.flatMap(({ faults }) => faults.map(({ place, fault }) => `${place}: ${fault}`)).filter((fault) => !EXCEPTIONS.some((known) => known.fault.test(fault))),
    statements: checked.reduce((sum, { statements }) => sum + statements, 0),
  };
}

const APPS = [
  ...directories('examples').map((name) => `examples/${name}/app.ts`),
  ...readdirSync(join(ROOT, 'integ')).filter((name) => /^integ\..*\.ts$/.test(name)).sort().map((name) => `integ/${name}`),
].filter((path) => !path.endsWith('.snapshot'));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'every-policy-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test.each(APPS)('%s', async (app) => {
  process.env.CDK_OUTDIR = directory;
  try {
    jest.requireActual(join(ROOT, app));
  } finally {
    delete process.env.CDK_OUTDIR;
  }

  const { faults, statements } = await faultsIn(directory);
  expect(faults).toEqual([]);
  expect(statements).toBeGreaterThan(5);
});

test('a stack that uses every option with a permission', async () => {
  const app = new App({ outdir: directory });
  everythingIn(new Stack(app, 'Everything'));
  app.synth();

  const { faults, statements } = await faultsIn(directory);
  expect(faults).toEqual([]);
  expect(statements).toBeGreaterThan(60);
});
