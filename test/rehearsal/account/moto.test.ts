import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeExecutionCommand, ListStateMachinesCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { Template } from 'aws-cdk-lib/assertions';
import { AgentCoreServer } from '../../../rehearsal/agentcore';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, Verification } from '../../../src';
import { ownSession } from '../../../src/loop/steps/sessions';
import { commandLine, ending } from '../../support/command-line';
import { definitionsOf } from '../../support/definitions';
import { awsEnvironment, Moto, setAwsEnvironment } from '../../support/moto';
import { IMAGE, newStack } from '../../support/stacks';
import { STUB_SANDBOXES } from '../../support/stub-sandbox';

jest.setTimeout(60_000);

const BRAKE = '/workbench/brake';
const FIX = ['--stack', 'Stack', '--loop', 'Fix'];

let moto: Moto;
let agentCore: AgentCoreServer;
let restore = () => {};
let sfn: SFNClient;
let runtimeArn: string;
const directory = mkdtempSync(join(tmpdir(), 'account-'));

/** The definitions of two loops, and of a state machine that is none. moto does not run them. */
function definitions(): { [id: string]: object } {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  const props = { runtime, gates: [Gate.command('test', 'npm test')] };
  new CodingLoop(stack, 'Fix', { ...props, repository: GitRepository.fromUrl('https://example.com/a/repository.git') });
  new CodingLoop(stack, 'Upgrade', { ...props, repository: GitRepository.fromInput(), verification: Verification.none() });
  const text = JSON.stringify(definitionsOf(Template.fromStack(stack).toJSON())).replace(/<Agent\w*\.AgentRuntimeArn>/g, runtimeArn)
    .replace(/("config":\{"name":)/g, `"config":{"operate":{"brake":"${BRAKE}"},"name":`);
  return { ...JSON.parse(text), Other: { StartAt: 'Done', States: { Done: { Type: 'Succeed' } } } };
}

beforeAll(async () => {
  moto = await Moto.start();
  agentCore = await AgentCoreServer.start({ stateDirectory: directory, sandbox: STUB_SANDBOXES });
  runtimeArn = agentCore.createRuntime({ name: 'agent', mounts: ['/mnt/workspace'] }).arn;
  restore = setAwsEnvironment(awsEnvironment(moto.endpoint, { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentCore.endpoint }));
  sfn = new SFNClient({});
}, 300_000);

beforeEach(async () => {
  await moto.reset();
  await moto.createStack('Stack', definitions());
});

afterAll(async () => {
  restore();
  sfn?.destroy();
  moto?.close();
  await agentCore?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function machine(loop: string): Promise<string> {
  const { stateMachines = [] } = await sfn.send(new ListStateMachinesCommand({}));
  return stateMachines.find(({ name }) => name!.startsWith(`Stack-${loop}`))!.stateMachineArn!;
}

async function begin(loop: string, name: string, input: object = { prompt: 'do it', taskId: name }): Promise<string> {
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: await machine(loop), name, input: JSON.stringify(input) }));
  return executionArn!;
}

async function statusOf(executionArn: string): Promise<string> {
  return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status!;
}

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse((await ending(0, commandLine(...args, '--json'))).stdout) as T;
}

describe('the loop', () => {
  test('is found among the state machines of the stack', async () => {
    const { stdout } = await ending(0, commandLine('runs', '--stack', 'Stack'));

    expect(stdout).toBe('no runs yet of Stack/Fix, Stack/Upgrade\n');
  });

  test.each([['its path', 'Stack/Fix'], ['its id', 'Fix']])('is chosen by %s', async (_, loop) => {
    expect((await ending(0, commandLine('runs', '--stack', 'Stack', '--loop', loop))).stdout).toBe('no runs yet of Stack/Fix\n');
  });

  test('is found by the ARN of its state machine, without a stack', async () => {
    expect((await ending(0, commandLine('runs', '--loop', await machine('Upgrade')))).stdout).toBe('no runs yet of Stack/Upgrade\n');
  });

  test.each<[string, string[], string]>([
    ['no stack is named', ['runs'], '--stack is missing: name the stack of the loop, or give the ARN of its state machine with --loop'],
    ['there is no such stack', ['runs', '--stack', 'Stuck'], 'there is no stack "Stuck" in us-east-1 of this account'],
    ['there is no such loop', ['runs', '--stack', 'Stack', '--loop', 'Fox'], 'stack Stack has no CodingLoop "Fox"; there is Stack/Fix, Stack/Upgrade: did you mean Fix?'],
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
    expect((await ending(2, commandLine('runs', '--loop', await machine('Other')))).stderr).toContain('is not the state machine of a CodingLoop');
  });

  test('fails without a region, and says how to give one', async () => {
    const { AWS_REGION, ...rest } = awsEnvironment(moto.endpoint);
    const undo = setAwsEnvironment(rest);
    const { stderr } = await ending(2, commandLine('runs', '--stack', 'Stack')).finally(undo);

    expect(stderr).toContain('there is no region: give --region, set AWS_REGION');
    expect(AWS_REGION).toBeDefined();
  });

  test('fails without credentials, and says how to give them', async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...rest } = awsEnvironment(moto.endpoint);
    const undo = setAwsEnvironment(rest);
    const { stderr } = await ending(2, commandLine('runs', '--stack', 'Stack')).finally(undo);

    expect(stderr).toContain('there are no credentials for AWS: set AWS_PROFILE or give --profile');
  });

  test('is looked for in the region and with the credentials of a profile', async () => {
    const config = join(directory, 'config');
    writeFileSync(config, '[profile work]\nregion = us-east-1\naws_access_key_id = AKIAWORKWORKWORKWORK\naws_secret_access_key = secret\n');
    const undo = setAwsEnvironment({ AWS_ENDPOINT_URL: moto.endpoint, AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' });

    await ending(0, commandLine('runs', '--stack', 'Stack', '--profile', 'work')).finally(undo);
    expect(process.env.AWS_REGION).toBe('us-east-1');
  });
});

describe('a run', () => {
  test('starts with the input that is given, and with a name that has its task', async () => {
    const { run, input, arn } = await json<{ run: string; arn: string; input: object }>('run', ...FIX, '--prompt', 'mend it', '--task', 'T-1', '--detach');

    expect(run).toMatch(/^T-1-\d{8}T\d{6}-[0-9a-f]{6}$/);
    expect(input).toEqual({ prompt: 'mend it', taskId: 'T-1' });
    expect(JSON.parse((await sfn.send(new DescribeExecutionCommand({ executionArn: arn }))).input!)).toEqual(input);
  });

  test('continues in the session of an earlier run, with its task', async () => {
    const earlier = await begin('Fix', 'earlier', { prompt: 'x', taskId: 'T-2' });
    await ending(0, commandLine('runs', 'stop', 'earlier', ...FIX));
    const { input } = await json<{ input: { taskId: string; session: { id: string } } }>('run', ...FIX, '--prompt', 'go on', '--session', 'earl', '--update', '--detach');

    expect(input).toEqual({ prompt: 'go on', taskId: 'T-2', session: { ...ownSession(earlier), update: true } });
  });

  test('fails to continue in the session of a run that is under way', async () => {
    await begin('Fix', 'busy');

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
  await begin('Fix', 'first');
  await begin('Fix', 'second');
  await begin('Upgrade', 'other');
  const rows = await json<{ run: string }[]>('runs', '--stack', 'Stack', '--max', '2');

  expect(rows.map(({ run }) => run)).toEqual(['other', 'second']);
  expect(rows[0]).toMatchObject({ state: 'RUNNING', task: 'other', loop: 'Stack/Upgrade' });
  expect(await json('runs', 'list', ...FIX, '--state', 'succeeded')).toEqual([]);
});

test('a run is found by a part of its name on a later page', async () => {
  const stateMachineArn = await machine('Fix');
  await begin('Fix', 'the-oldest-of-all');
  for (let run = 0; run < 1_000; run += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, index) => sfn.send(new StartExecutionCommand({ stateMachineArn, name: `run-${run + index}`, input: '{}' }))));
  }

  expect((await ending(0, commandLine('runs', 'stop', 'oldest', ...FIX))).stdout).toContain('the-oldest-of-all: stopped');
});

describe('a stop', () => {
  test('ends the execution and says that its session is gone', async () => {
    const arn = await begin('Fix', 'long');
    const { stdout } = await ending(0, commandLine('runs', 'stop', 'lon', ...FIX));

    expect(await statusOf(arn)).toBe('ABORTED');
    expect(stdout).toBe(`long: stopped; session ${ownSession(arn).id} already gone\n`);
  });

  test('of a run that has ended looks for its session all the same', async () => {
    await begin('Fix', 'long');
    await ending(0, commandLine('runs', 'stop', 'long', ...FIX));

    expect((await ending(0, commandLine('runs', 'stop', 'long', ...FIX))).stdout).toContain('long: it had ended (ABORTED); session');
  });

  test('leaves the session alone in which another run works', async () => {
    const earlier = await begin('Fix', 'earlier');
    await ending(0, commandLine('runs', 'stop', 'earlier', ...FIX));
    await begin('Fix', 'guest', { prompt: 'x', taskId: 'guest', session: ownSession(earlier) });

    expect((await ending(0, commandLine('runs', 'stop', 'earlier', ...FIX))).stdout).toMatch(/session earlier-\w+ left running: the run guest-\w+ is using it/);
  });

  test('fails for a part of a name that several runs have', async () => {
    await begin('Fix', 'one-1');
    await begin('Fix', 'one-2');

    expect((await ending(2, commandLine('runs', 'stop', 'one', ...FIX))).stderr).toContain('"one" fits 2 runs: give more of the name');
  });

  test('of all runs ends those of both loops', async () => {
    const arns = [await begin('Fix', 'a'), await begin('Fix', 'b'), await begin('Upgrade', 'c')];
    const stopped = await json<{ run: string; sessions: { gone: boolean }[] }[]>('runs', 'stop', '--all', '--stack', 'Stack', '--yes');

    expect(stopped.map(({ run }) => run).sort()).toEqual(['a', 'b', 'c']);
    expect(stopped.every(({ sessions }) => sessions.every(({ gone }) => gone))).toBe(true);
    expect(await Promise.all(arns.map(statusOf))).toEqual(['ABORTED', 'ABORTED', 'ABORTED']);
  });
});

test('the brake is pulled and released for all loops that have it', async () => {
  const states = [];
  for (const wanted of ['on', 'status', 'off', 'status']) states.push(await json<object[]>('runs', 'brake', wanted, '--stack', 'Stack'));

  const row = { parameter: BRAKE, loops: ['Stack/Fix', 'Stack/Upgrade'] };
  expect(states).toEqual([[{ ...row, brake: 'on' }], [{ ...row, brake: 'on' }], [{ ...row, brake: 'off' }], [{ ...row, brake: 'off' }]]);
});
