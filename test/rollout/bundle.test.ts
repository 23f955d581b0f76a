import { ChildProcess, fork } from 'child_process';
import { once } from 'events';
import { join } from 'path';
import { ServerFixture } from '../support/agentcore';
import { Handlers, LambdaDied, SECRET_URL } from '../support/cloudformation';
import { commandTest, RolloutStack } from '../support/rollout-stack';

jest.setTimeout(60_000);

const ASSETS = join(__dirname, '../../assets/rollout');

/** Acts as Lambda: loads a bundle, passes it one event and sends back the result. */
const RUNNER = `
  process.once('message', ({ bundle, event }) => {
    const context = { getRemainingTimeInMillis: () => 840000 };
    require(bundle).handler(event, context).then(
      (value) => process.send({ value }),
      ({ name, message, stack }) => process.send({ error: { name, message, stack } }),
    ).finally(() => process.disconnect());
  });`;

let fixture: ServerFixture;
let output: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  output = '';
  fixture = await ServerFixture.start({ name: 'another' }, { transition: 5_000 });
});

afterEach(() => fixture.close());

async function invoke(bundle: string, event: object): Promise<never> {
  const child = fork('-e', [RUNNER], {
    execArgv: [],
    silent: true,
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: fixture.server.endpoint,
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: fixture.server.endpoint,
      WORKBENCH_BACKOFF_SECONDS: '0',
    },
  });
  running = child;
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data) => { output += data; });
  const answers: { value?: never; error?: Error }[] = [];
  child.on('message', (answer) => answers.push(answer as { value?: never }));
  child.send({ bundle: join(ASSETS, bundle, 'index.js'), event });
  await once(child, 'close');
  const [answer] = answers;
  if (answer === undefined) throw new LambdaDied('killed');
  if (answer.error !== undefined) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer.value!;
}

const handlers: Handlers = {
  onEvent: (event) => invoke('runtime-rollout-event.lambda', event),
  isComplete: (event) => invoke('runtime-rollout.lambda', { ...event, Began: Date.now() }),
};

test('the bundles roll out, fail and roll back, and log neither the response URL nor an output', async () => {
  const stack = new RolloutStack(fixture, { handlers });

  expect(await stack.deploy({ environment: { A: '1' }, rollout: { SmokeTests: [commandTest('echo said-$A')] } })).toMatchObject({ endpointName: 'v1' });
  const { status, reason, endpointName } = await stack.deploy({ environment: { A: '2' }, rollout: { SmokeTests: [commandTest('echo said-$A; exit 1')] } });

  expect([status, endpointName]).toEqual(['ROLLBACK_COMPLETE', 'v1']);
  expect(reason).toContain('exit code 1, expected 0: echo said-$A; exit 1\noutput ends with:\nsaid-2\n');
  expect(reason).not.toContain('    at ');
  await stack.destroy();
  expect(output).toContain('endpoint passed');
  expect(output).not.toContain(new URL(SECRET_URL).search);
  expect(output).not.toContain('said-1');
});

test('a bundle that is killed during a test resumes the test, and runs its command once', async () => {
  const stack = new RolloutStack(fixture, { handlers });
  const begun = fixture.server.calls.next({ operation: 'InvokeAgentRuntimeCommand' }, 'responding').then(() => running!.kill('SIGKILL'));

  const deployed = await stack.deploy({
    rollout: { SmokeTests: [commandTest('echo once >> /tmp/times; sleep 2; test "$(wc -l < /tmp/times)" = 1')] },
  });

  await begun;
  expect([deployed.reason, deployed.endpointName]).toEqual([undefined, 'v1']);
  await stack.destroy();
});
