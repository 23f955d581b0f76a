import { DeleteParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AwsBetween, jsonError } from '../../support/aws-between';
import { commandLine, ending } from '../../support/command-line';
import { BRAKE, json, MotoLoops } from '../../support/moto-loops';

jest.setTimeout(180_000);

const OTHER = '/workbench/other';

let aws: MotoLoops;
let between: AwsBetween;
let ssm: SSMClient;
beforeAll(async () => {
  aws = await MotoLoops.start();
  ssm = new SSMClient({});
  between = await AwsBetween.start(aws.moto.endpoint);
}, 300_000);
beforeEach(async () => {
  await aws.reset();
  between.reset();
  process.env.AWS_ENDPOINT_URL = between.endpoint;
});
afterAll(async () => {
  ssm?.destroy();
  await between?.close();
  await aws?.close();
});

test('the brake is pulled and released for all loops that have it', async () => {
  const states = [];
  for (const wanted of ['on', 'status', 'off', 'status']) states.push(await json<object[]>('runs', 'brake', wanted, '--stack', 'Stack'));

  const row = { parameter: BRAKE, loops: ['Stack/Fix', 'Stack/Upgrade'] };
  expect(states).toEqual([[{ ...row, brake: 'on' }], [{ ...row, brake: 'on' }], [{ ...row, brake: 'off' }], [{ ...row, brake: 'off' }]]);
});

test.each([['On', 'on'], [' on\n', 'on'], ['off', 'off'], ['one', 'off'], ['released', 'off']])('a brake whose value is %j is %s, as for the driver', async (value, state) => {
  await ssm.send(new PutParameterCommand({ Name: BRAKE, Value: value, Type: 'String', Overwrite: true }));

  expect((await ending(0, commandLine('runs', 'brake', '--stack', 'Stack'))).stdout).toBe(`the brake is ${state} (${BRAKE}) for Stack/Fix, Stack/Upgrade\n`);
});

test.each([
  ['does not exist', async () => ssm.send(new DeleteParameterCommand({ Name: BRAKE }))],
  ['is a SecureString', async () => {
    await ssm.send(new DeleteParameterCommand({ Name: BRAKE }));
    await ssm.send(new PutParameterCommand({ Name: BRAKE, Value: 'off', Type: 'SecureString' }));
  }],
])('a brake whose parameter %s is on', async (reason, prepare) => {
  await ssm.send(new PutParameterCommand({ Name: BRAKE, Value: 'off', Type: 'String', Overwrite: true }));
  await prepare();
  const { stdout } = await ending(0, commandLine('runs', 'brake', '--stack', 'Stack'));

  expect(stdout).toBe(`the brake is on (${BRAKE}) for Stack/Fix, Stack/Upgrade: its parameter ${reason}, and a brake that cannot be read counts as on\n`);
});

test('a brake that cannot be set does not keep the next one from being set', async () => {
  const definitions = Object.entries(aws.definitions()).map(([id, definition]) => [
    id, id.startsWith('Upgrade') ? JSON.parse(JSON.stringify(definition).replaceAll(BRAKE, OTHER)) as object : definition,
  ] as const);
  await aws.moto.createStack('Two', Object.fromEntries(definitions));
  between.answer('PutParameter', jsonError('AccessDeniedException', 'not allowed'), 1);
  const { stdout, stderr } = await ending(3, commandLine('runs', 'brake', 'on', '--stack', 'Two', '--json'));

  const rows = JSON.parse(stdout) as { readonly parameter: string; readonly brake?: string; readonly error?: string }[];
  expect(rows.map(({ brake }) => brake)).toEqual([undefined, 'on']);
  expect(rows[0].error).toMatch(/^missing permission: .*ssm:PutParameter/);
  expect(stderr).toContain(`the brake ${rows[0].parameter} for `);
  expect(stderr).toContain(' was not set: missing permission');
  expect(await json('runs', 'brake', '--stack', 'Two')).toContainEqual(expect.objectContaining({ parameter: rows[1].parameter, brake: 'on' }));
});
