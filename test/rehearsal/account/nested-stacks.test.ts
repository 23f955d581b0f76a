import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { commandLine, ending } from '../../support/command-line';
import { json, MotoLoops } from '../../support/moto-loops';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Parent'];

let aws: MotoLoops;

/** The resources of a template with a state machine of that definition. */
const machine = (name: string, definition: object) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: { StateMachineName: name, DefinitionString: JSON.stringify(definition), RoleArn: 'arn:aws:iam::123456789012:role/Role' },
});

/** The definition of a loop at that path. */
function loopAt(path: string): object {
  const [, fix] = Object.entries(aws.definitions()).find(([id]) => id.startsWith('Fix'))!;
  return JSON.parse(JSON.stringify(fix).replace(/"name":"Stack\/Fix"/g, `"name":"${path}"`)) as object;
}

beforeAll(async () => {
  aws = await MotoLoops.start();
  await aws.moto.reset();
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
  const nested = async (name: string, Resources: object) => {
    await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: `${name}.json`, Body: JSON.stringify({ Resources }) }));
    return { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: `https://s3.amazonaws.com/templates/${name}.json` } };
  };
  // The loops of two teams have one name, and one of them is two stacks deep.
  const deep = await nested('deep', { FixRuns: machine('Deep', loopAt('Parent/B/Deep/Fix')) });
  await aws.moto.createStackOf('Parent', {
    A: await nested('a', { FixRuns: machine('A', loopAt('Parent/A/Fix')), Other: machine('Other', { StartAt: 'Done', States: { Done: { Type: 'Succeed' } } }) }),
    B: await nested('b', { Deep: deep }),
  });
  s3.destroy();
}, 300_000);
afterAll(async () => aws?.close());

test('loops in nested stacks are found', async () => {
  expect((await ending(0, commandLine('runs', ...STACK))).stdout).toBe('no runs of Parent/A/Fix, Parent/B/Deep/Fix yet\n');
});

test.each([['a path', 'Parent/B/Deep/Fix'], ['the end of a path', 'Deep/Fix']])('a run is started in a nested stack by %s', async (_, loop) => {
  const { arn } = await json<{ arn: string }>('run', ...STACK, '--loop', loop, '--prompt', 'x', '--detach');

  expect(arn).toContain(':execution:Deep:');
  expect((await ending(0, commandLine('runs', 'stop', arn.split(':').pop()!, ...STACK))).stdout).toContain('stopped');
});

test('fails to start a run if loops in different stacks have the name, and lists them', async () => {
  const { stderr } = await ending(2, commandLine('run', ...STACK, '--loop', 'Fix', '--prompt', 'x'));

  expect(stderr).toContain('stack Parent has more than one CodingLoop "Fix" (Parent/A/Fix, Parent/B/Deep/Fix): give more of the path with --loop');
});

test('fails for a run that both loops have, until the loop is named', async () => {
  for (const loop of ['A/Fix', 'Deep/Fix']) await ending(0, commandLine('run', ...STACK, '--loop', loop, '--prompt', 'x', '--name', 'both', '--detach'));
  const { stderr } = await ending(2, commandLine('runs', 'show', 'both', ...STACK));

  expect(stderr).toContain('"both" matches 2 runs: say which loop with --loop\n  both of Parent/A/Fix\n  both of Parent/B/Deep/Fix\n');
  expect(await json('runs', 'show', 'both', ...STACK, '--loop', 'A/Fix')).toMatchObject({ id: 'both', loop: 'Parent/A/Fix' });
});

test('the brake and a stop of all runs reach the loops of all nested stacks', async () => {
  const brakes = await json('runs', 'brake', 'off', ...STACK);
  await ending(0, commandLine('run', ...STACK, '--loop', 'A/Fix', '--prompt', 'x', '--name', 'a', '--detach'));
  await ending(0, commandLine('run', ...STACK, '--loop', 'Deep/Fix', '--prompt', 'x', '--name', 'b', '--detach'));
  const stopped = await json<{ run: string }[]>('runs', 'stop', '--all', '--yes', ...STACK);

  expect(brakes).toEqual([expect.objectContaining({ loops: ['Parent/A/Fix', 'Parent/B/Deep/Fix'] })]);
  expect(stopped.map(({ run }) => run)).toEqual(expect.arrayContaining(['a', 'b']));
});
