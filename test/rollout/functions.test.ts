import { LIMITS } from '../../src/rollout/handler/constants';
import { RolloutEvent } from '../../src/rollout/handler/rollout-request';
import { handler as onEvent } from '../../src/rollout/runtime-rollout-event.lambda';
import { handler } from '../../src/rollout/runtime-rollout.lambda';
import { ServerFixture } from '../support/agentcore';
import { SECRET_URL } from '../support/cloudformation';
import { commandTest, RolloutStack } from '../support/rollout-stack';

let fixture: ServerFixture;
let logged: string[];
const environment = { ...process.env };

beforeEach(async () => {
  fixture = await ServerFixture.start({ name: 'another' }, { transition: 5_000 });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: fixture.server.endpoint,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: fixture.server.endpoint,
    POWERTOOLS_DEV: 'true',
    WORKBENCH_BACKOFF_SECONDS: '0',
  });
  logged = [];
  const log = (...texts: unknown[]) => { logged.push(texts.join(' ')); };
  for (const method of ['info', 'warn'] as const) jest.spyOn(console, method).mockImplementation(log);
});

afterEach(async () => {
  jest.restoreAllMocks();
  process.env = { ...environment };
  await fixture.close();
});

/** The functions as in Lambda, except for the start of the request: the server's clock is not this machine's. */
function newStack(remainingMilliseconds = LIMITS.functionSeconds * 1_000): RolloutStack {
  const context = { getRemainingTimeInMillis: () => remainingMilliseconds };
  return new RolloutStack(fixture, { handlers: { onEvent, isComplete: (event: RolloutEvent) => handler({ ...event, Began: Date.now() }, context) } });
}

const rollout = { SmokeTests: [commandTest('echo said')] };

test('the functions work with the events of Lambda, and log each step but neither the response URL nor an output', async () => {
  const stack = newStack();

  expect(await stack.deploy({ rollout })).toEqual({ status: 'COMPLETE', endpointName: 'v1', version: '1' });
  expect((await stack.deploy({ environment: { A: '2' }, rollout: { SmokeTests: [commandTest('false')] } })).status).toBe('ROLLBACK_COMPLETE');

  expect(logged.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    'endpoint created', 'waiting', 'endpoint passed', 'waiting', 'endpoint created', 'waiting', 'endpoint removed', 'failed', 'waiting',
  ]);
  expect(JSON.parse(logged[0])).toMatchObject({ request: expect.stringMatching(/^11111111-/), runtime: stack.deployed!.runtimeId, endpoint: 'v1' });
  expect(logged.join('\n')).not.toContain(new URL(SECRET_URL).search);
  expect(logged.join('\n')).not.toContain('said\\n');
});

test('a request without a response is repeated', async () => {
  jest.replaceProperty(LIMITS, 'requestSeconds', 0.5 as 20);
  const hanging = fixture.server.faults.add({ operation: 'ListAgentRuntimeEndpoints', at: 'beforeStart', kind: 'hang', times: 4 });

  expect(await newStack().deploy({ rollout })).toMatchObject({ status: 'COMPLETE' });

  expect(hanging.fired).toBe(4);
  expect(logged.join('\n')).toContain('the service to answer (ETIMEDOUT');
});

test('a function that has little time left leaves unfinished work to the next call', async () => {
  const margin = LIMITS.functionMarginSeconds * 1_000;
  const stack = newStack(margin + 2_000);

  const { reason } = await stack.deploy({ rollout: { SmokeTests: [commandTest('echo once >> /tmp/times; sleep 3; test "$(wc -l < /tmp/times)" = 1')] } });

  expect(reason).toBeUndefined();
  expect(logged.filter((line) => line.includes('smoke test \\"echo once'))).not.toEqual([]);
});
