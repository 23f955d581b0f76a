import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Account } from '../../../rehearsal/account/account';
import { Executions } from '../../../rehearsal/account/executions';
import type { FoundRun } from '../../../rehearsal/account/find-run';
import { loopsOf } from '../../../rehearsal/account/loops';
import { stopAll, StoppedExecution, Stopper } from '../../../rehearsal/account/stop';
import { SYSTEM_CLOCK } from '../../../src/handler/clock';
import { commandLine, ending } from '../../support/command-line';
import { awsEnvironment, setAwsEnvironment } from '../../support/moto';
import { BUCKET, FIX, json, MotoLoops } from '../../support/moto-loops';

jest.setTimeout(180_000);

let aws: MotoLoops;
beforeAll(async () => {
  aws = await MotoLoops.start();
}, 300_000);
beforeEach(async () => aws.reset());
afterAll(async () => aws?.close());

/** Writes logs of the run `kept` to a bucket, which is made if there is none. */
async function put(...names: readonly string[]): Promise<void> {
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const name of names) await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `runs/kept/${name}`, Body: name }));
  s3.destroy();
}

describe('what a run left in the bucket of its loop', () => {
  beforeEach(async () => {
    const s3 = new S3Client({ forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const files = { 'turns/1.log': 'the agent thinks\n', 'gates/1-test.log': '1 test fails\n', 'gates/1-unit.tests.log': 'ok\n', 'report.html': '<html>kept</html>' };
    for (const [name, Body] of Object.entries(files)) await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `runs/kept/${name}`, Body }));
    s3.destroy();
    await aws.begin('Fix', 'kept');
    await ending(0, commandLine('runs', 'stop', 'kept', ...FIX));
  });

  test('is printed as its logs', async () => {
    const { stdout } = await ending(0, commandLine('runs', 'logs', 'kept', ...FIX));

    expect(stdout).toContain('== turns/1.log\nthe agent thinks\n');
    expect(stdout).toContain('== gates/1-test.log\n1 test fails\n');
    expect(stdout).not.toContain('report.html');
  });

  test.each([['--gate', 'test', 'gates/1-test.log'], ['--gate', 'unit tests', 'gates/1-unit.tests.log'], ['--step', 'turn', 'turns/1.log']])('is chosen by %s %s', async (option, value, name) => {
    expect(await json('runs', 'logs', 'kept', ...FIX, option, value)).toEqual([{ name, text: expect.any(String) }]);
  });

  test('is chosen by a gate with all that ran of it, and with nothing of a gate whose name is longer', async () => {
    const ofTest = [
      'gates/0-test.before.log', 'gates/1-test.log', 'gates/1-test.again.1.0.log', 'gates/12-test.again.0.2.log',
      'verification/1-test.log', 'verification/1-test.retry.1.log', 'verification/1-test.retry.2.again.1.0.log', 'base/test.log', 'base/test.retry.1.log',
    ];
    const ofOthers = ['gates/0-test.log', 'gates/1-test.before.log', 'gates/1-test.retry.log', 'gates/1-test.retry.retry.1.log', 'gates/1-test.retry.x.log', 'gates/1-unit.test.log', 'test.log'];
    await put(...ofTest, ...ofOthers);
    const logs = await json<{ readonly name: string }[]>('runs', 'logs', 'kept', ...FIX, '--gate', 'test');
    const longer = await json<{ readonly name: string }[]>('runs', 'logs', 'kept', ...FIX, '--gate', 'test retry');

    expect(logs.map(({ name }) => name).sort()).toEqual([...ofTest].sort());
    expect(longer.map(({ name }) => name).sort()).toEqual(['gates/1-test.retry.log', 'gates/1-test.retry.retry.1.log']);
  });

  test('is of the gate with the longer name if the name could be that of two gates', async () => {
    await aws.reset({ gates: ['test', 'test retry 1'] });
    await aws.begin('Fix', 'kept');
    await put('gates/1-test.log', 'verification/1-test.retry.1.log', 'verification/1-test.retry.1.retry.1.log', 'verification/1-test.retry.2.log');
    const namesOf = async (gate: string) => (await json<{ readonly name: string }[]>('runs', 'logs', 'kept', ...FIX, '--gate', gate)).map(({ name }) => name).sort();

    expect(await namesOf('test')).toEqual(['gates/1-test.log', 'verification/1-test.retry.2.log']);
    expect(await namesOf('test retry 1')).toEqual(['verification/1-test.retry.1.log', 'verification/1-test.retry.1.retry.1.log']);
  });

  test('fails to be chosen by a gate that it does not have', async () => {
    expect((await ending(2, commandLine('runs', 'logs', 'kept', ...FIX, '--gate', 'lint'))).stderr).toContain('there is no output of the gate "lint" in the run kept; it has');
  });

  test('is written as its report', async () => {
    const file = join(aws.directory, 'kept.html');
    await ending(0, commandLine('runs', 'report', 'kept', ...FIX, '--output', file));

    expect(readFileSync(file, 'utf8')).toBe('<html>kept</html>');
  });
});

describe('a permission that is missing', () => {
  const POLICY = (...actions: string[]) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });

  async function asUser(actions: string[], ...args: string[]) {
    const credentials = await aws.moto.createUser(POLICY(...actions));
    const undo = setAwsEnvironment({ ...awsEnvironment(aws.moto.endpoint), ...credentials });
    await aws.moto.authorize(true);
    try {
      return await commandLine(...args);
    } finally {
      await aws.moto.authorize(false);
      undo();
    }
  }

  test.each<[string, string[], string[], string]>([
    ['cloudformation:ListStackResources', [], ['runs', '--stack', 'Stack'], 'arn:aws:cloudformation:us-east-1:'],
    ['s3:ListBucket', ['cloudformation:*', 'states:*'], ['runs', 'logs', 'long', ...FIX], `arn:aws:s3:::${BUCKET}`],
  ])('is said: %s', async (action, allowed, args, resource) => {
    await aws.begin('Fix', 'long');
    const { exitCode, stderr } = await asUser(allowed, ...args);

    expect(stderr).toMatch(new RegExp(`^missing permission: (arn:aws:iam::123456789012:user/\\S+|the caller) may not perform ${action} on ${resource}`));
    expect(stderr).toContain(`{"Effect":"Allow","Action":"${action}","Resource":"${resource}`);
    expect(exitCode).toBe(3);
  });
});

test('a stop of all runs also stops those that start meanwhile', async () => {
  const account = await Account.open({});
  const executions = new Executions(account);
  let more = 2;
  class Meanwhile extends Stopper {
    override async stopExecution(run: FoundRun): Promise<StoppedExecution> {
      if (more > 0) await aws.begin('Fix', `meanwhile-${more--}`);
      return super.stopExecution(run);
    }
  }
  await aws.begin('Fix', 'first');
  const loops = await loopsOf(account, { stack: 'Stack', loop: 'Fix' });
  const stopped = await stopAll(new Meanwhile(account, SYSTEM_CLOCK, 0.01), executions, loops, () => {});
  account.close();

  expect(stopped.map(({ run, execution }) => `${run} ${execution}`).sort()).toEqual(['first STOPPED', 'meanwhile-1 STOPPED', 'meanwhile-2 STOPPED']);
  expect(await json('runs', ...FIX, '--state', 'running')).toEqual([]);
});
