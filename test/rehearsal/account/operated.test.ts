import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RunArtifacts, RunBrake } from '../../../src';
import { AccountFixture } from '../../support/account';
import { AwsBetween } from '../../support/aws-between';
import { commandLine, ending } from '../../support/command-line';
import { json } from '../../support/moto-loops';
import { writes } from '../../support/rehearsed-loop';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Stack'];

let account: AccountFixture;
let between: AwsBetween;
beforeAll(async () => {
  account = await AccountFixture.start(writes('41', '42'), (stack) => ({ artifacts: RunArtifacts.inBucket(), brake: new RunBrake(stack, 'Brake') }));
  between = await account.intercept();
});
afterEach(() => between.reset());
afterAll(async () => account?.close());

test('the whole logs of a run are in the bucket of its loop, and the change that its report shows', async () => {
  await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'kept'));
  const { stdout } = await ending(0, commandLine('runs', 'logs', 'kept', '--gate', 'test', ...STACK));
  const file = join(account.rehearsal.directory, 'report.html');
  await ending(0, commandLine('runs', 'report', 'kept', '--output', file, ...STACK));

  const elsewhere = await ending(2, commandLine('runs', 'report', 'kept', '--output', account.rehearsal.directory, ...STACK));

  expect(elsewhere.stderr).toContain(`the report cannot be written to ${account.rehearsal.directory}: EISDIR`);
  expect(stdout).toBe('== gates/1-test.log\nthe answer is 41\n\n== gates/2-test.log\nthe answer is 42\n\n');
  const report = readFileSync(file, 'utf8');
  for (const part of ['the answer is 41', '-41', '+42']) expect(report).toContain(part);
  rmSync(file);
});

/** Returns the definition of the loop with another bucket, or without one. */
const redeployed = (place: object | undefined) => (answer: string) => {
  const { definition, ...rest } = JSON.parse(answer) as { readonly definition: string };
  const changed = JSON.parse(definition, (key, value: unknown) => key === 'artifacts' ? place : value) as object;
  return JSON.stringify({ ...rest, definition: JSON.stringify(changed) });
};

/** Leaves the record out, as in a run that Step Functions ended. */
const withoutRecord = (answer: string) => JSON.stringify({ ...JSON.parse(answer) as object, output: undefined });

test.each<[string, string, object | undefined, string | undefined]>([
  ['moved', 'a deployment uses another bucket', { bucket: 'new-bucket', prefix: 'new/' }, undefined],
  ['dropped', 'a deployment drops the bucket', undefined, undefined],
  ['moved-aborted', 'a deployment uses another bucket, and there is no record', { bucket: 'new-bucket', prefix: 'new/' }, 'DescribeExecution'],
  ['dropped-aborted', 'a deployment drops the bucket, and there is no record', undefined, 'DescribeExecution'],
  ['recorded', 'the definition of its execution has another bucket than its record', { bucket: 'new-bucket', prefix: 'new/' }, 'DescribeStateMachineForExecution'],
])('the logs and the change of the run %s are found after %s', async (name, _, place, also) => {
  await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', name));
  between.afterwards('DescribeStateMachine', redeployed(place));
  if (also !== undefined) between.afterwards(also, also === 'DescribeExecution' ? withoutRecord : redeployed(place));
  const file = join(account.rehearsal.directory, 'old.html');
  const { stdout } = await ending(0, commandLine('runs', 'logs', name, ...STACK, '--gate', 'test'));
  await ending(0, commandLine('runs', 'report', name, '--output', file, ...STACK));

  expect(stdout).toContain('== gates/2-test.log\nthe answer is 42\n');
  // The report of a run without a record has no commit, and so no change.
  expect(readFileSync(file, 'utf8').includes('+42')).toBe(also !== 'DescribeExecution');
  rmSync(file);
});

test('the cost in the list has that of the model, which JSON has on its own', async () => {
  await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'dear'));
  between.afterwards('DescribeExecution', (answer) => {
    const described = JSON.parse(answer) as { readonly output: string };
    const output = JSON.parse(described.output) as { readonly cost: object };
    return JSON.stringify({ ...described, output: JSON.stringify({ ...output, cost: { ...output.cost, usd: 0.25, agentUsd: 3.5 } }) });
  });
  const { stdout } = await ending(0, commandLine('runs', ...STACK, '--max', '1'));

  expect(stdout).toMatch(/ \$3\.75 .* dear\n/);
  expect(await json('runs', ...STACK, '--max', '1')).toEqual([expect.objectContaining({ run: 'dear', usd: 0.25, agentUsd: 3.5 })]);
});

test('the brake lets no run begin, until it is released', async () => {
  const pulled = await ending(0, commandLine('runs', 'brake', 'on', ...STACK));
  const { stdout } = await ending(3, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'braked'));
  await ending(0, commandLine('runs', 'brake', 'off', ...STACK));
  await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'released'));

  expect(pulled.stdout).toMatch(/^the brake is on \(\S+\) for Stack\/Loop: no run and no turn begins/);
  expect(stdout).toContain('CodingLoop.Braked before the first turn');
  // The refusal has the record of the run in it.
  expect(stdout).toMatch(/^ +CodingLoop\.Braked: the brake \S+ is on$/m);
  expect((await ending(0, commandLine('runs', 'logs', 'braked', ...STACK))).stdout).toMatch(/; there is no log in s3:\/\/\S+\/braked\/ yet\n$/);
});
