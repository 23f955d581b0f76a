import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { AwsRequests } from '../../src/handler/aws-requests';
import { SYSTEM_CLOCK } from '../../src/handler/clock';
import { RunEventSender } from '../../src/loop/steps/run-events';
import { RunFiles } from '../../src/loop/steps/run-files';
import { StepTools } from '../../src/loop/steps/step';

const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:Loop:my-run';
const KEYS = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'B' };
const before = { ...process.env };

let server: Server;
let requests: string[];
let answers: boolean;
let bodies: string[];

beforeEach(async () => {
  Object.assign(process.env, KEYS);
  requests = [];
  bodies = [];
  answers = true;
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      bodies.push(body);
      if (answers) response.end('{}');
    });
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
});
afterEach(async () => {
  process.env = { ...before };
  server.closeAllConnections();
  await new Promise((done) => { server.close(done); });
});

/** The tools of a call of which so many seconds are over, or still to come. */
function toolsWith(secondsLeft: number, logged: unknown[] = []): StepTools {
  const requestsOf = (service: string) => new AwsRequests(service, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const log = (message: string, fields: object) => { logged.push([message, fields]); };
  return { clock: SYSTEM_CLOCK, backoffSeconds: 0, until: Date.now() + secondsLeft * 1_000, requestsOf, log } as unknown as StepTools;
}

const place = { bucket: 'bucket', prefix: '' };

test('the output of a command that outlives the call is kept', async () => {
  const files = new RunFiles(place, EXECUTION, toolsWith(0));
  await files.put('gates/1-test.log', 'so far', 'text/plain');
  expect([requests, files.error]).toEqual([['PUT /bucket/my-run/gates/1-test.log'], undefined]);
});

test('nothing is begun when the function is about to end', async () => {
  const logged: unknown[] = [];
  const files = new RunFiles(place, EXECUTION, toolsWith(-10, logged));
  await files.put('gates/1-test.log', 'so far', 'text/plain');
  expect([requests, files.error]).toEqual([[], 'NoTimeLeft']);
  expect(logged).toEqual([['artifact not kept', { name: 'gates/1-test.log', error: 'NoTimeLeft' }]]);
});

test('a bucket and a bus that do not answer are given up before the function ends', async () => {
  answers = false;
  const logged: [string, { readonly error: string }][] = [];
  const tools = toolsWith(-8, logged);
  await new RunFiles(place, EXECUTION, tools).put('record.json', '{}', 'application/json');
  await new RunEventSender('Loop', 'default', tools).after(
    { operation: 'loop:prepare', execution: EXECUTION } as never, { run: { taskId: 'task-1', session: { id: 'session', workspace: 'NEW' } } },
  );
  expect(logged.map(([message]) => message)).toEqual(['artifact not kept', 'event not sent']);
  expect(Date.now()).toBeLessThan(tools.until + 20_000);
});

test('the event of a run that was refused fits the bus, whatever its input', async () => {
  const record = {
    outcome: 'CodingLoop.BadInput', taskId: 'x'.repeat(150_000), rounds: 0, gates: [], session: { id: 'session', stopped: false }, error: { name: 'CodingLoop.BadInput', message: 'no' },
  };
  await new RunEventSender('Loop', 'default', toolsWith(60)).failed({ operation: 'loop:prepare', execution: EXECUTION } as never, new Error(JSON.stringify(record)));
  const [{ Detail }] = (JSON.parse(bodies[0]) as { readonly Entries: { readonly Detail: string }[] }).Entries;
  expect([JSON.parse(Detail).taskId.length, Buffer.byteLength(Detail) < 250_000]).toEqual([200, true]);
});
