import { ServerFixture } from '../support/agentcore';
import { commandTest, RolloutStack, Template } from '../support/rollout-stack';

let fixture: ServerFixture;

beforeEach(async () => {
  fixture = await ServerFixture.start({ name: 'another' }, { transition: 5_000 });
});

afterEach(() => fixture.close());

const build = (number: number, rollout?: Template['rollout']): Template => ({ environment: { BUILD: `${number}` }, rollout });
const TESTED = { SmokeTests: [commandTest('test -d /mnt/workspace')] };

/** Returns what a session finds in its workspace, and the version it runs on. */
async function look(stack: RolloutStack, qualifier: string): Promise<string> {
  const { stdout } = await fixture.command('cat /mnt/workspace/work 2>&1; echo "on build $BUILD"', { agentRuntimeArn: stack.deployed!.runtimeArn, qualifier });
  return stdout;
}

test('a workspace survives an update, in a session that started before it and in one that is resumed after it', async () => {
  const stack = new RolloutStack(fixture);
  const { endpointName: qualifier } = await stack.deploy(build(1, TESTED));
  const agentRuntimeArn = stack.deployed!.runtimeArn;
  await fixture.command('echo hours of work > /mnt/workspace/work', { agentRuntimeArn, qualifier });

  await stack.deploy(build(2, TESTED));

  expect(await look(stack, qualifier!)).toBe('hours of work\non build 1\n');
  await fixture.stop({ agentRuntimeArn, qualifier });
  await fixture.clock.advance(60_000);
  expect(await look(stack, qualifier!)).toBe('hours of work\non build 1\n');
});

test('a workspace survives a failed update and its rollback', async () => {
  const stack = new RolloutStack(fixture);
  const { endpointName: qualifier } = await stack.deploy(build(1, TESTED));
  const agentRuntimeArn = stack.deployed!.runtimeArn;
  await fixture.command('echo hours of work > /mnt/workspace/work', { agentRuntimeArn, qualifier });
  await fixture.stop({ agentRuntimeArn, qualifier });

  expect((await stack.deploy(build(2, { SmokeTests: [commandTest('false')] }))).status).toBe('ROLLBACK_COMPLETE');

  await fixture.clock.advance(60_000);
  expect(await look(stack, qualifier!)).toBe('hours of work\non build 1\n');
});

test('a workspace on DEFAULT, without a rollout, is lost after an update', async () => {
  const stack = new RolloutStack(fixture);
  await stack.deploy(build(1));
  const agentRuntimeArn = stack.deployed!.runtimeArn;
  await fixture.command('echo hours of work > /mnt/workspace/work', { agentRuntimeArn });
  await fixture.stop({ agentRuntimeArn });

  await stack.deploy(build(2));

  await fixture.clock.advance(60_000);
  expect(await look(stack, 'DEFAULT')).toContain('No such file or directory\non build 2\n');
});
