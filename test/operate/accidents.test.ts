/** What happens to the files of a run while a bucket or a session fails. */
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { AwsRequests } from '../../src/handler/aws-requests';
import { SYSTEM_CLOCK } from '../../src/handler/clock';
import { RunArtifacts } from '../../src/loop/steps/run-artifacts';
import { endOfName, RunFiles } from '../../src/loop/steps/run-files';
import type { StepRequest, StepTools } from '../../src/loop/steps/step';

const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:Loop:my-run';
const PLACE = { bucket: 'bucket', prefix: '' };
const before = { ...process.env };

let server: Server;
/** The files that the bucket has, by their keys. */
let files: Map<string, string>;
let keys: string[];
let resets: number;

beforeEach(async () => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'B' });
  files = new Map();
  keys = [];
  resets = 0;
  server = createServer((request, response) => {
    const key = decodeURIComponent(request.url!.slice('/bucket/my-run/'.length));
    keys.push(key);
    if (resets-- > 0) {
      request.socket.destroy();
      return;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      files.set(key, body);
      response.end();
    });
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
});
afterEach(async () => {
  process.env = { ...before };
  server.closeAllConnections();
  await new Promise((done) => { server.close(done); });
});

function tools(): StepTools {
  const requestsOf = (service: string) => new AwsRequests(service, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { clock: SYSTEM_CLOCK, backoffSeconds: 0, until: Date.now() + 60_000, requestsOf, log: () => undefined } as unknown as StepTools;
}

/** A call of the driver for a gate. @param loop what the state has in it after the call before */
function callOf(loop: object = {}) {
  const request = { operation: 'loop:gate', execution: EXECUTION, state: { run: {}, loop: { round: 0, losses: 0, rebases: 0, ...loop } } } as unknown as StepRequest;
  return { request, hooks: new RunArtifacts(PLACE, request as never, tools()).hooks };
}

/** Keeps the output of a gate in a call of the driver. */
async function kept(printed: string, result: object, loop: object = {}): Promise<string | undefined> {
  const { request, hooks } = callOf(loop);
  const output = hooks.keep!(request, 'gate test')!;
  if (printed !== '') output.onOutput(Buffer.from(printed), 0);
  await output.end({ outputBytes: printed.length, ...result } as never);
  return files.get('gates/1-test.log');
}

describe('the log of a gate that outlives a call', () => {
  const previous = { job: 'job' };

  test.each([
    ['the workspace is wiped', { status: 'ENDED', verdict: 'LOST', lostReason: 'WORKSPACE' }],
    ['its session does not answer again', { status: 'ENDED', verdict: 'TIMED_OUT' }],
    ['nothing is read of it', { status: 'RUNNING' }],
  ])('stays as it is if %s in the next call', async (_, result) => {
    expect(await kept('so far\n', { status: 'RUNNING' })).toBe('so far\n');
    expect(await kept('', result, { previous })).toBe('so far\n');
  });

  test('is replaced by all of it', async () => {
    await kept('so far\n', { status: 'RUNNING' });
    expect(await kept('so far\nthe end\n', { status: 'ENDED', verdict: 'PASSED' }, { previous })).toBe('so far\nthe end\n');
  });
});

test('a gate that prints nothing has an empty log', async () => {
  expect(await kept('', { status: 'ENDED', verdict: 'PASSED' })).toBe('');
});

test('a bucket that cannot be reached is tried three times in a step, and once for each other file', async () => {
  resets = 5;
  const all = new RunFiles(PLACE, EXECUTION, tools());
  for (const name of ['a', 'b', 'c', 'd']) await all.put(name, '', 'text/plain');
  expect(keys).toEqual(['a', 'a', 'a', 'b', 'c', 'd']);
  expect([...files.keys()]).toEqual(['d']);
});

test('a bucket that refuses one file is tried as before for the others', async () => {
  const all = new RunFiles({ ...PLACE, bucket: 'bucket' }, EXECUTION, tools());
  resets = 2;
  await all.put('a', '', 'text/plain');
  resets = 2;
  await all.put('b', '', 'text/plain');
  expect([...files.keys()]).toEqual(['a', 'b']);
});

test('reports have names that fit into a key, whatever the names of their files', async () => {
  const { request, hooks } = callOf();
  const names = [`${'😀'.repeat(60)}.xml`, `${'語'.repeat(200)}.xml`, '..', '', '\ud83d.xml', `${'.'.repeat(300)}`];
  await hooks.keepReports!(request, 'test', names.map((name) => ({ name, xml: Buffer.from('<testsuite/>') })));
  expect([...files.keys()].sort()).toEqual([
    `reports/1-test/1-${'😀'.repeat(24)}.xml`, `reports/1-test/2-${'語'.repeat(32)}.xml`, 'reports/1-test/3-_..', 'reports/1-test/4-_', 'reports/1-test/5-_.xml',
    `reports/1-test/6-${'.'.repeat(100)}`,
  ]);
});

test.each([['abc', 3, 'abc'], ['abc', 2, 'bc'], ['ä€', 3, '€'], ['ä€', 4, '€'], ['ä€', 5, 'ä€'], ['', 5, '']])('the end of %j in %i bytes is %j', (name, bytes, end) => {
  expect(endOfName(name, bytes)).toBe(end);
});
