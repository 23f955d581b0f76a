import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownSession } from '../../../src/loop/steps/sessions';
import { CommandLine, commandLine, ending } from '../../support/command-line';
import { awsEnvironment, setAwsEnvironment } from '../../support/moto';
import { FIX, json, MotoLoops } from '../../support/moto-loops';

jest.setTimeout(180_000);

let aws: MotoLoops;
beforeAll(async () => {
  aws = await MotoLoops.start();
}, 300_000);
beforeEach(async () => aws.reset());
afterAll(async () => aws?.close());

describe('the loop', () => {
  test('is found among the state machines of the stack', async () => {
    const { stdout } = await ending(0, commandLine('runs', '--stack', 'Stack'));

    expect(stdout).toBe('no runs of Stack/Fix, Stack/Upgrade yet\n');
  });

  test.each([['its path', 'Stack/Fix'], ['its id', 'Fix']])('is chosen by %s', async (_, loop) => {
    expect((await ending(0, commandLine('runs', '--stack', 'Stack', '--loop', loop))).stdout).toBe('no runs of Stack/Fix yet\n');
  });

  test('is found by the ARN of its state machine, without a stack', async () => {
    expect((await ending(0, commandLine('runs', '--loop', await aws.machine('Upgrade')))).stdout).toBe('no runs of Stack/Upgrade yet\n');
  });

  test.each<[string, string[], string]>([
    ['no stack is named', ['runs'], '--stack is missing: name the stack of the loop, or give the ARN of its state machine with --loop'],
    ['there is no such stack', ['runs', '--stack', 'Stuck'], 'there is no stack "Stuck" in us-east-1 of this account'],
    ['there is no such loop', ['runs', '--stack', 'Stack', '--loop', 'Fox'], 'stack Stack has no CodingLoop "Fox"; the stack has Stack/Fix, Stack/Upgrade: did you mean Fix?'],
    ['a run could be of two loops', ['run', '--stack', 'Stack', '--prompt', 'x'], 'stack Stack has more than one CodingLoop (Stack/Fix, Stack/Upgrade): name one with --loop'],
    ['there is no such command', ['runs', 'stopp', 'x'], '"stopp" is not a command of "runs": did you mean stop?'],
    ['an option belongs to another command', ['runs', 'list', '--stack', 'Stack', '--detach'], '--detach is not an option of "runs list": it belongs to "run"'],
    ['there is no such run', ['runs', 'stop', 'nothing', '--stack', 'Stack'], 'there is no run "nothing"'],
    ['no run is named', ['runs', 'stop', '--stack', 'Stack'], '"runs stop" needs the name of a run: "runs list" lists them; --all stops all of them'],
    ['nobody can be asked', ['runs', 'stop', '--all', '--stack', 'Stack'], 'nothing was stopped: give --yes'],
  ])('fails if %s', async (_, args, message) => {
    expect((await ending(2, commandLine(...args))).stderr).toContain(message);
  });

  test('fails for a state machine that is no loop', async () => {
    expect((await ending(2, commandLine('runs', '--loop', await aws.machine('Other')))).stderr).toContain('is not the state machine of a CodingLoop');
  });

  test('fails without a region, and says how to give one', async () => {
    const { AWS_REGION, ...rest } = awsEnvironment(aws.moto.endpoint);
    const undo = setAwsEnvironment(rest);
    const { stderr } = await ending(2, commandLine('runs', '--stack', 'Stack')).finally(undo);

    expect(stderr).toContain('there is no region: give --region, set AWS_REGION');
    expect(AWS_REGION).toBeDefined();
  });

  test('fails for a profile that does not exist', async () => {
    const undo = setAwsEnvironment({ AWS_ENDPOINT_URL: aws.moto.endpoint, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
    const { stderr } = await ending(2, commandLine('runs', '--stack', 'Stack', '--profile', 'wrok')).finally(undo);

    expect(stderr).toContain('there is no profile "wrok"');
  });

  test('fails without credentials, and says how to give them', async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...rest } = awsEnvironment(aws.moto.endpoint);
    const undo = setAwsEnvironment(rest);
    const { stderr } = await ending(2, commandLine('runs', '--stack', 'Stack')).finally(undo);

    expect(stderr).toContain('there are no credentials for AWS: set AWS_PROFILE or give --profile');
  });

  test('is looked for in the region and with the credentials of a profile', async () => {
    const config = join(aws.directory, 'config');
    writeFileSync(config, '[profile work]\nregion = us-east-1\naws_access_key_id = AKIAWORKWORKWORKWORK\naws_secret_access_key = secret\n');
    const undo = setAwsEnvironment({ AWS_ENDPOINT_URL: aws.moto.endpoint, AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' });

    await ending(0, commandLine('runs', '--stack', 'Stack', '--profile', 'work')).finally(undo);
    expect(process.env.AWS_REGION).toBe('us-east-1');
  });
});

describe('a run', () => {
  test('starts with the input that is given, and with a name that has its task', async () => {
    const { run, input, arn } = await json<{ run: string; arn: string; input: object }>('run', ...FIX, '--prompt', 'mend it', '--task', 'T-1', '--detach');

    expect(run).toMatch(/^T-1-\d{8}T\d{6}-[0-9a-f]{6}$/);
    expect(input).toEqual({ prompt: 'mend it', taskId: 'T-1' });
    expect(JSON.parse((await aws.describe(arn)).input!)).toEqual(input);
  });

  test('continues in the session of an earlier run, with its task', async () => {
    const earlier = await aws.begin('Fix', 'earlier', { prompt: 'x', taskId: 'T-2' });
    await ending(0, commandLine('runs', 'stop', 'earlier', ...FIX));
    const { input } = await json<{ input: { taskId: string; session: { id: string } } }>('run', ...FIX, '--prompt', 'go on', '--session', 'earl', '--update', '--detach');
    const byId = await json<{ input: object }>('run', ...FIX, '--prompt', 'go on', '--session', ownSession(earlier).id, '--update', '--detach');

    expect(byId.input).toEqual(input);
    expect(input).toEqual({ prompt: 'go on', taskId: 'T-2', session: { ...ownSession(earlier), update: true } });
  });

  test('fails to continue in the session of a run that is under way', async () => {
    await aws.begin('Fix', 'busy');

    expect((await ending(2, commandLine('run', ...FIX, '--prompt', 'x', '--session', 'busy', '--detach'))).stderr).toContain('the run busy is still working in its session');
  });

  test.each<[string, string[], string]>([
    ['has no prompt', [], '--prompt is missing'],
    ['has a task that names no branch', ['--prompt', 'x', '--task', 'a b'], '"taskId" must be 1 to 64 characters'],
    ['has a repository that the loop does not allow', ['--prompt', 'x', '--repository', 'https://example.org/b.git'], '"repository.url" must be a repository that the loop allows'],
    ['has a name that no execution can have', ['--prompt', 'x', '--name', 'a b'], '--name must be 1 to 80 characters'],
  ])('fails before it starts if it %s', async (_, args, message) => {
    expect((await ending(2, commandLine('run', ...FIX, ...args))).stderr).toContain(message);
    expect(await json('runs', ...FIX)).toEqual([]);
  });
});

test('runs are listed, the newest first', async () => {
  await aws.begin('Fix', 'first');
  await aws.begin('Fix', 'second');
  await aws.begin('Upgrade', 'other');
  const rows = await json<{ run: string }[]>('runs', '--stack', 'Stack', '--max', '2');

  expect(rows.map(({ run }) => run)).toEqual(['other', 'second']);
  expect(rows[0]).toMatchObject({ state: 'RUNNING', task: 'other', loop: 'Stack/Upgrade' });
  expect(await json('runs', 'list', ...FIX, '--state', 'succeeded')).toEqual([]);
});

test('a run is found by a part of its name on a later page', async () => {
  const stateMachineArn = await aws.machine('Fix');
  await aws.begin('Fix', 'the-oldest-of-all');
  for (let run = 0; run < 1_000; run += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, index) => aws.start(stateMachineArn, `run-${run + index}`, {})));
  }

  expect((await ending(0, commandLine('runs', 'stop', 'oldest', ...FIX))).stdout).toContain('the-oldest-of-all: stopped');
});

describe('a stop', () => {
  test('ends the execution and says that its session is gone', async () => {
    const arn = await aws.begin('Fix', 'long');
    const { stdout } = await ending(0, commandLine('runs', 'stop', 'lon', ...FIX));

    expect((await aws.describe(arn)).status).toBe('ABORTED');
    expect(stdout).toBe(`long: stopped; session ${ownSession(arn).id} already gone\n`);
  });

  test('of a run that has ended looks for its session all the same', async () => {
    await aws.begin('Fix', 'long');
    await ending(0, commandLine('runs', 'stop', 'long', ...FIX));

    expect((await ending(0, commandLine('runs', 'stop', 'long', ...FIX))).stdout).toContain('long: it had ended (ABORTED); session');
  });

  test('leaves the session alone in which another run works', async () => {
    const earlier = await aws.begin('Fix', 'earlier');
    await ending(0, commandLine('runs', 'stop', 'earlier', ...FIX));
    await aws.begin('Fix', 'guest', { prompt: 'x', taskId: 'guest', session: ownSession(earlier) });

    expect((await ending(0, commandLine('runs', 'stop', 'earlier', ...FIX))).stdout).toMatch(/session earlier-\w+ left running: the run guest-\w+ is using it/);
  });

  test('fails for a part of a name that several runs have', async () => {
    await aws.begin('Fix', 'one-1');
    await aws.begin('Fix', 'one-2');

    expect((await ending(2, commandLine('runs', 'stop', 'one', ...FIX))).stderr).toContain('"one" matches 2 runs: give more of the name');
  });

  test.each([['Ctrl-C', '\x03', 130], ['Ctrl-D', '\x04', 2], ['n', 'n\r', 2]])('of all runs stops nothing if the answer at the terminal is %s', async (_, keys, exitCode) => {
    const arn = await aws.begin('Fix', 'a');
    const asking = new CommandLine(['runs', 'stop', '--all', '--stack', 'Stack'], { terminal: true });
    await asking.prints(/\[y\/N\] /);
    asking.type(keys);
    const { stdout } = await ending(exitCode, asking.ended);

    expect(stdout).not.toMatch(/^ +at /m);
    expect(stdout.includes('nothing was stopped')).toBe(exitCode === 2);
    expect((await aws.describe(arn)).status).toBe('RUNNING');
  });

  test('of all runs ends those of both loops', async () => {
    const arns = [await aws.begin('Fix', 'a'), await aws.begin('Fix', 'b'), await aws.begin('Upgrade', 'c')];
    const stopped = await json<{ run: string; sessions: { gone: boolean }[] }[]>('runs', 'stop', '--all', '--stack', 'Stack', '--yes');

    expect(stopped.map(({ run }) => run).sort()).toEqual(['a', 'b', 'c']);
    expect(stopped.every(({ sessions }) => sessions.every(({ gone }) => gone))).toBe(true);
    expect(await Promise.all(arns.map(async (arn) => (await aws.describe(arn)).status))).toEqual(['ABORTED', 'ABORTED', 'ABORTED']);
  });
});
