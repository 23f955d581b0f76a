import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { App, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { BusEvent, KeptFiles } from '../../../rehearsal/aws';
import { accessKeyOf } from '../../../rehearsal/iam/authorizer';
import { DeploymentFixture } from '../../support/deployments';

/** A function that writes what it hears into its log. "Sender" may send to the bus "Own", and to no other. */
function build(app: App): Stack {
  const stack = new Stack(app, 'Stack');
  const code = mkdtempSync(join(tmpdir(), 'code-'));
  writeFileSync(join(code, 'index.js'), 'exports.handler = async (event) => { console.log("heard " + JSON.stringify(event)); if (event.detail?.fail) throw new Error("it fails"); };');
  const make = (id: string) => new lambda.Function(stack, id, { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(code) });
  const bus = new events.EventBus(stack, 'Own', { eventBusName: 'own' });
  bus.grantPutEventsTo(make('Sender'));
  const listener = new targets.LambdaFunction(make('Listener'));
  const pattern = { source: ['mine'], detail: { color: ['red', 'green'] } };
  new events.Rule(stack, 'Rule', { eventBus: bus, eventPattern: pattern, targets: [listener, new targets.SnsTopic(new sns.Topic(stack, 'Topic'))] });
  new events.Rule(stack, 'Off', { eventBus: bus, eventPattern: pattern, targets: [listener], enabled: false });
  new events.Rule(stack, 'OtherBus', { eventPattern: pattern, targets: [listener] });
  return stack;
}

let made: DeploymentFixture;
const logs: string[] = [];
beforeEach(async () => {
  logs.length = 0;
  made = await DeploymentFixture.start(build, { onLog: (_, line) => void logs.push(line) });
});
afterEach(() => made.close());

const sender = () => made.deployment.stack.ofType('AWS::Lambda::Function').find((id) => id.startsWith('Sender'))!;
const put = async (entries: PutEventsRequestEntry[]) => new EventBridgeClient({
  endpoint: made.server.endpoint, region: 'us-east-1', credentials: { accessKeyId: accessKeyOf(sender()), secretAccessKey: 'local' }, maxAttempts: 1,
}).send(new PutEventsCommand({ Entries: entries }));
const entry = (detail: object, more: PutEventsRequestEntry = {}) => ({ Source: 'mine', DetailType: 'A Thing', Detail: JSON.stringify(detail), EventBusName: 'own', ...more });
const kept = () => KeptFiles.linesOf<BusEvent>(made.deployment.files.events);

/** The length of a text that makes an entry 256 KB long. */
const ROOM = 262_144 - 'mine'.length - 'A Thing'.length - '{"x":""}'.length;

test('an event is kept as rules see it, and the functions and topics of the rules that match it receive it', async () => {
  const Time = new Date('2026-01-02T03:04:05Z');
  const reply = await put([entry({ color: 'red' }, { Time, Resources: ['arn:aws:x:::y'] }), entry({ color: 'blue' })]);
  await made.deployment.events.settled();
  expect(reply).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: kept()[0].id }, { EventId: kept()[1].id }] });
  expect(kept()[0]).toEqual({
    'version': '0',
    'id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'detail-type': 'A Thing',
    'source': 'mine',
    'account': '123456789012',
    'time': '2026-01-02T03:04:05Z',
    'region': 'us-east-1',
    'resources': ['arn:aws:x:::y'],
    'detail': { color: 'red' },
  });
  const [{ id }] = kept();
  expect(KeptFiles.linesOf(made.deployment.files.messages)).toEqual([{ target: expect.stringContaining('Topic'), message: kept()[0] }]);
  await made.deployment.close(); // so that its output is complete
  expect(logs.filter((line) => line.includes('heard'))).toEqual([expect.stringContaining(JSON.stringify(id))]);
});

test('a target that fails does not concern the sender', async () => {
  expect(await put([entry({ color: 'green', fail: true })])).toMatchObject({ FailedEntryCount: 0 });
  await made.deployment.events.settled();
});

test('the ARN of a bus stands for its name', async () => {
  await put([entry({ color: 'red' }, { EventBusName: 'arn:aws:events:us-east-1:123456789012:event-bus/own' })]);
  await made.deployment.events.settled();
  expect(KeptFiles.linesOf(made.deployment.files.messages)).toHaveLength(1);
});

test.each([
  ['without a source', { Source: undefined }, 'InvalidArgument'],
  ['without a type', { DetailType: '' }, 'InvalidArgument'],
  ['without a detail', { Detail: undefined }, 'InvalidArgument'],
  ['whose detail is a list', { Detail: '[]' }, 'MalformedDetail'],
  ['whose detail is no JSON', { Detail: '{' }, 'MalformedDetail'],
  ['in the name of AWS', { Source: 'aws.states' }, 'NotAuthorizedForSourceException'],
])('an entry %s fails by itself', async (_, more, code) => {
  const reply = await put([entry({}, more), entry({})]);
  expect(reply).toMatchObject({ FailedEntryCount: 1, Entries: [{ ErrorCode: code, ErrorMessage: expect.any(String) }, {}] });
  expect(kept()).toHaveLength(1);
});

test.each([
  ['no entries', [], 'ValidationException'],
  ['eleven entries', Array.from({ length: 11 }, () => entry({})), 'ValidationException'],
  ['256 KB and a byte', [entry({ x: 'x'.repeat(ROOM + 1) })], 'ValidationException'],
  ['a bus without permission', [entry({}), entry({}, { EventBusName: undefined })], 'AccessDeniedException'],
])('fails for %s, and keeps nothing', async (_, entries, name) => {
  await expect(put(entries)).rejects.toMatchObject({ name });
  expect(kept()).toEqual([]);
});

test('takes 256 KB', async () => {
  expect(await put([entry({ x: 'x'.repeat(ROOM) })])).toMatchObject({ FailedEntryCount: 0 });
});
