import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RunArtifacts, RunBrake } from '../../../src';
import { AccountFixture } from '../../support/account';
import { commandLine, ending } from '../../support/command-line';
import { writes } from '../../support/rehearsed-loop';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Stack'];

let account: AccountFixture;
beforeAll(async () => {
  account = await AccountFixture.start(writes('41', '42'), (stack) => ({ artifacts: RunArtifacts.inBucket(), brake: new RunBrake(stack, 'Brake') }));
});
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
