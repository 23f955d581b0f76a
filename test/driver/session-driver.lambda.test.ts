import { ERRORS, METRICS } from '../../src/jobs/constants';
import { newSessionId } from '../support/agentcore';
import { DriverFixture } from '../support/session-driver';

const SECRETS = ['the-command-itself', 'what-it-printed', 'the-prompt-itself', 'what-the-agent-said', 'noise-of-the-shell'];

let driver: DriverFixture;
const written: string[] = [];

beforeAll(async () => {
  process.env.POWERTOOLS_LOG_LEVEL = 'INFO';
  process.env.POWERTOOLS_METRICS_DISABLED = 'false';
  // Powertools writes to its own console, which this intercepts.
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  driver = await DriverFixture.start();
});
afterAll(async () => {
  await driver.close();
  jest.restoreAllMocks();
  delete process.env.POWERTOOLS_LOG_LEVEL;
  delete process.env.POWERTOOLS_METRICS_DISABLED;
});
beforeEach(() => written.splice(0));

const lines = () => written.join('').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const log = (message: string) => lines().find((line) => line.message === message);
const metric = () => lines().filter((line) => '_aws' in line);

async function run(request: object) {
  const sessionId = await driver.session();
  written.splice(0);
  return driver.call(driver.request(sessionId, { command: 'true', ...request }));
}

test('logs the caller, the operation and the outcome, but none of the content', async () => {
  await run({ command: 'echo what-it-printed # the-command-itself', name: 'lint', round: 2 });
  expect(log('done')).toMatchObject({
    level: 'INFO', operation: 'run', run: 'run', job: 'lint', round: 2, verdict: 'PASSED', exitCode: 0, jobId: expect.stringContaining('lint-2-'), outputBytes: 16,
  });
});

test('measures jobs by verdict, seconds, attaches and bytes, under the names that the metrics are read by', async () => {
  await run({ command: 'exit 3' });
  const [emf, attaches] = metric();
  const { namespace, dimensions, names } = METRICS;
  expect(emf._aws.CloudWatchMetrics).toEqual([{
    Namespace: namespace,
    Dimensions: [expect.arrayContaining([dimensions.SERVICE, dimensions.RUNTIME, dimensions.VERDICT])],
    Metrics: expect.arrayContaining([
      { Name: names.JOBS, Unit: 'Count' }, { Name: names.JOB_SECONDS, Unit: 'Seconds' },
      { Name: names.OUTPUT_BYTES, Unit: 'Bytes' },
    ]),
  }]);
  expect(emf).toMatchObject({ [dimensions.SERVICE]: METRICS.service, [dimensions.VERDICT]: 'FAILED', [names.JOBS]: 1 });
  expect(attaches).toMatchObject({ [names.ATTACHES]: 0 });
});

test('measures attaches in one metric, whether or not the job has ended', async () => {
  const sessionId = await driver.session();
  const request = driver.request(sessionId, { command: `while [[ ! -e ${driver.shared}/free ]]; do sleep 0.05; done` });
  written.splice(0);
  expect(await driver.call(request, 21_500)).toMatchObject({ status: 'RUNNING' });
  await driver.fixture.command(`touch ${driver.shared}/free`, { runtimeSessionId: sessionId });
  expect(await driver.call({ ...request, mode: 'attach' })).toMatchObject({ status: 'ENDED' });
  const { dimensions, names } = METRICS;
  const found = metric().filter((emf) => names.ATTACHES in emf).map(({ _aws }) => _aws.CloudWatchMetrics[0].Dimensions);
  expect(found).toEqual(Array(2).fill([[dimensions.SERVICE, dimensions.RUNTIME]]));
});

test('measures failures of the platform as such, and does not measure invalid requests', async () => {
  driver.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 6, match: (call) => call.command !== 'true' });
  expect(await run({})).toMatchObject({ error: ERRORS.THROTTLED });
  const emitted = metric();
  expect(emitted.at(-1)).toMatchObject({ [METRICS.dimensions.VERDICT]: 'PLATFORM', [METRICS.names.JOBS]: 1 });
  expect(emitted.slice(0, -1).map((emf) => emf[METRICS.names.THROTTLES])).toEqual(Array(6).fill(1));
  expect(await run({ timeoutSeconds: 0 })).toMatchObject({ error: ERRORS.VALIDATION });
  expect(await run({ runtimeArn: undefined })).toMatchObject({ error: ERRORS.VALIDATION });
  expect(metric()).toEqual([]);
});

test('logs nothing of a command, an output or a prompt, whatever fails', async () => {
  const match = (call: { body: Buffer }) => call.body.includes('the-command-itself');
  for (const kind of ['throttle', 'validation', 'agentError', 'reset', 'end', 'platformExit', 'internal'] as const) {
    driver.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeEnd', kind, times: 1, match });
    await run({ command: 'echo what-it-printed >&2; echo what-it-printed # the-command-itself', environment: { A: 'the-command-itself' }, failFast: ['what-it-printed'] });
  }
  // A shell that complains, and one that prints before our script does.
  await driver.call({ ...driver.request(await driver.session(), { mount: '/what-it-printed', command: 'the-command-itself' }) });
  const noisy = await DriverFixture.start({
    agentFor: () => ({ handler: () => ({ error: 'what-the-agent-said' }) }), environment: { BASH_ENV: '/mnt/workspace/profile' },
  });
  const sessionId = await noisy.session();
  await noisy.fixture.command('echo echo noise-of-the-shell >/mnt/workspace/profile', { runtimeSessionId: sessionId });
  const { arn: runtimeArn } = noisy.fixture;
  const errors = [
    await noisy.call(noisy.request(sessionId, { command: 'the-command-itself' })),
    await noisy.call({ operation: 'invoke', runtimeArn, sessionId: newSessionId(), payload: { prompt: 'the-prompt-itself' }, timeoutSeconds: 30 }),
  ];
  await noisy.close();
  // The text was returned to the state machine.
  expect(errors).toEqual([
    { error: ERRORS.BROKEN, message: expect.stringContaining('noise-of-the-shell') },
    { error: ERRORS.AGENT, message: expect.stringContaining('what-the-agent-said') },
  ]);
  const text = written.join('');
  expect(text).toContain('attaching again');
  expect(text).toContain('failed');
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
});

test('returns RUNNING when its time is up, and continues from there in the next call', async () => {
  const sessionId = await driver.session();
  const request = driver.request(sessionId, { command: `echo begun; while [[ ! -e ${driver.shared}/go ]]; do sleep 0.05; done; echo ended` });
  const first = await driver.call(request, 21_500);
  expect(first).toMatchObject({ status: 'RUNNING', exitCode: null, tail: 'begun\n', run: 'run' });
  await driver.fixture.command(`touch ${driver.shared}/go`, { runtimeSessionId: sessionId });
  expect(await driver.call({ ...request, mode: 'attach' })).toMatchObject({ status: 'ENDED', verdict: 'PASSED', tail: 'begun\nended\n' });
});

test('ends a command as soon as a line matches a fail-fast pattern', async () => {
  expect(await run({ command: 'echo fine; echo FATAL: no; sleep 1000', failFast: ['^FATAL'] })).toMatchObject({ verdict: 'FAILED', failFast: '^FATAL' });
});

test('fails a command whose last line matches, even if it exits with 0', async () => {
  expect(await run({ command: 'printf FATAL', failFast: ['^FATAL'] })).toMatchObject({ verdict: 'FAILED', failFast: '^FATAL', exitCode: 0 });
});

test('reports no verdict of the command for a container without a shell', async () => {
  const bare = await DriverFixture.start({ environment: { PATH: '/nowhere' }, commandMode: 'shell' });
  const outcome = await bare.call(bare.request(newSessionId(), { command: 'true' }));
  await bare.close();
  expect(outcome).toMatchObject({ error: ERRORS.CONTAINER });
});

test('fails for an unknown operation', async () => {
  expect(await driver.call({ operation: 'dance', runtimeArn: 'x', sessionId: 'y' })).toMatchObject({ error: ERRORS.VALIDATION, message: expect.stringContaining('"dance"') });
});

test('stops a session', async () => {
  const sessionId = await driver.session();
  expect(await driver.call({ operation: 'stop', runtimeArn: driver.fixture.arn, sessionId })).toEqual({ status: 'STOPPED', sessionId });
  expect(log('done')).toMatchObject({ operation: 'stop', status: 'STOPPED', sessionId });
  expect(metric()).toEqual([]);
});
