import { COMMAND_MODES } from '../../rehearsal/agentcore';
import { SmokeTest } from '../../src';
import { SmokeTestProperties } from '../../src/rollout/handler/constants';
import { ServerFixture } from '../support/agentcore';
import { commandTest, invokeTest, RolloutStack } from '../support/rollout-stack';

/** Returns the test as the construct renders it in the template. */
const propertiesOf = (test: SmokeTest) => JSON.parse(JSON.stringify(test._bind())) as SmokeTestProperties;

/** The agent's reply to an invoke. */
let answer: () => unknown;
let fixture: ServerFixture;
let stack: RolloutStack;
/** The smoke sessions that were started and not stopped. */
const sessions = new Set<string>();

beforeEach(async () => {
  answer = () => ({ answer: 'pong' });
  fixture = await ServerFixture.start({ name: 'another' }, { transition: 5_000, agentFor: () => ({ handler: () => answer() }) });
  stack = new RolloutStack(fixture);
  // The rollout is added to an existing runtime, so that the runtime is left after a failure.
  await stack.deploy({});
  sessions.clear();
  stack.afterCall = ({ operation, input }) => {
    if (operation.startsWith('InvokeAgentRuntime')) sessions.add(input.runtimeSessionId!);
    if (operation === 'StopRuntimeSession') sessions.delete(input.runtimeSessionId!);
  };
});

afterEach(() => fixture.close());

/** Deploys a rollout that must fail. Returns CloudFormation's reason, without the framework's suffix. */
async function reasonOf(SmokeTests: SmokeTestProperties[], TimeoutSeconds = '1800'): Promise<string> {
  const { status, reason } = await stack.deploy({ rollout: { SmokeTests, TimeoutSeconds } });
  expect(status).toBe('ROLLBACK_COMPLETE');
  expect([...sessions]).toEqual([]);
  expect(await stack.endpoints()).toEqual(['DEFAULT']);
  expect(Buffer.byteLength(JSON.stringify(reason))).toBeLessThan(2_900);
  const [, message] = /^(.*)\n\nLogs: \/aws\/lambda\/isComplete\n$/s.exec(reason!)!;
  return message;
}

async function expectToPass(...SmokeTests: SmokeTestProperties[]): Promise<void> {
  expect(await stack.deploy({ rollout: { SmokeTests } })).toEqual({ status: 'COMPLETE', endpointName: 'v1', version: '1' });
  expect([...sessions]).toEqual([]);
}

describe('a command', () => {
  test('passes with the expected exit code, in the same session as earlier commands', async () => {
    await expectToPass(commandTest('echo first > /tmp/mark'), commandTest('grep -q first /tmp/mark && exit 3', { ExitCode: '3' }));
  });

  test.each(COMMAND_MODES)('has the same meaning in each command mode: %s', async (commandMode) => {
    const other = await ServerFixture.start({ name: 'another' }, { transition: 5_000, commandMode });
    try {
      const rollout = { SmokeTests: [commandTest('[[ \'it\'\\\'\'s "all" $here\' == "it\'s \\"all\\" \\$here" ]] && echo "it is" > /tmp/mark'), commandTest('grep -q "it is" /tmp/mark')] };
      expect(await new RolloutStack(other).deploy({ rollout })).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    } finally {
      await other.close();
    }
  });

  test('fails with another exit code, even 0', async () => {
    expect(await reasonOf([commandTest('echo fine', { ExitCode: '3' })]))
      .toBe('smoke test "echo fine" on endpoint "v1" failed: exit code 0, expected 3: echo fine\noutput ends with:\nfine');
  });

  test('fails with the end of its output, however long that is', async () => {
    const reason = await reasonOf([commandTest('seq 100000; echo the end; exit 1')]);

    expect(reason).toMatch(/^smoke test "seq 100000; echo the" on endpoint "v1" failed: exit code 1, expected 0: seq 100000; echo the end; exit 1\noutput ends with:\n/);
    expect(reason).toMatch(/\n99999\n100000\nthe end$/);
    expect(reason.length).toBeGreaterThan(1_500);
  });

  test('fails after its timeout, with its output so far', async () => {
    expect(await reasonOf([commandTest('echo begun; sleep 60', { TimeoutSeconds: '1' })]))
      .toBe('smoke test "echo begun; sleep 60" on endpoint "v1" failed: timed out after 1 seconds: echo begun; sleep 60\noutput ends with:\nbegun');
  });

  test('fails after the timeout of the rollout, and is not waited for any longer', async () => {
    let looks = 0;
    stack.beforeCall = async ({ operation }) => {
      // A minute is too long to wait here: the second step, which starts the test, has one second left.
      if (operation === 'GetAgentRuntime' && ++looks === 2) await fixture.clock.advance(49_000);
    };
    expect(await reasonOf([commandTest('sleep 90')], '60'))
      .toBe('waited 60 seconds for smoke test "sleep 90" on endpoint "v1" to end; "timeout" can be up to 3000 seconds');
  });

  /** Replaces the microVM while the command runs, not while its result is read. */
  const loses = (times: number) => fixture.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', afterBytes: 200, kind: 'replaceMicrovm', times, match: ({ command = '' }) => command.includes('mode=start'),
  });

  test('starts again in a microVM that replaced its own', async () => {
    const lost = loses(2);
    await expectToPass(commandTest('seq 100; sleep 1'));
    expect(lost.fired).toBe(2);
  });

  test('fails if its microVM is replaced three times', async () => {
    const lost = loses(100);
    expect(await reasonOf([commandTest('seq 100; sleep 1')])).toBe(
      'smoke test "seq 100; sleep 1" on endpoint "v1" failed: the microVM was replaced 3 times while it ran: seq 100; sleep 1');
    expect(lost.fired).toBe(3);
  });

  test('waits two minutes for a session that is starting', async () => {
    const fault = fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'coldStart' });
    await expectToPass(commandTest('true'), commandTest('true'));
    expect(fault.fired).toBeGreaterThan(5);
  });

  test('fails if a container does not start within three minutes', async () => {
    const began = fixture.clock.now();
    fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'agentError', times: 100 });
    expect(await reasonOf([commandTest('true')])).toBe(
      'smoke test "true" on endpoint "v1" failed: RuntimeClientError: injected: agentError');
    expect(fixture.clock.now() - began).toBeGreaterThan(180_000);
  });

  test('fails at once if a container that has answered fails', async () => {
    const match = ({ command = '' }) => command.includes('exit 3');
    const fault = fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'agentError', times: 100, match });
    expect(await reasonOf([commandTest('true'), commandTest('exit 3', { ExitCode: '3' })])).toContain('injected: agentError');
    expect(fault.fired).toBe(1);
  });

  test('is tried four times on an endpoint that is not known everywhere yet', async () => {
    const fault = fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'notFound', times: 3 });
    await expectToPass(commandTest('true'));
    expect(fault.fired).toBe(3);
  });

  test('waits two minutes for permissions that have just been granted', async () => {
    const fault = fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'accessDenied', times: 5 });
    await expectToPass(commandTest('true'));
    expect(fault.fired).toBe(5);
  });

  test('fails if permissions are missing, with the message of the service', async () => {
    const before = fixture.clock.now();
    fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'accessDenied', times: 100 });
    expect(await reasonOf([commandTest('true')])).toBe('AccessDeniedException: injected: accessDenied');
    expect(fixture.clock.now() - before).toBeLessThan(400_000);
  });

  test('fails if the service never answers, with a message that says what it waited for', async () => {
    fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 1_000 });
    expect(await reasonOf([commandTest('true')], '60')).toBe(
      'waited 60 seconds for the service to answer (ThrottlingException: injected: throttle); "timeout" can be up to 3000 seconds');
  });
});

describe('the tools', () => {
  const manifest = (...tools: object[]) => commandTest(
    `printf '%s\\n' '{' '  "tools": [' ${tools.map((tool) => `'    ${JSON.stringify(tool).replace(/":/g, '": ').replace(/,"/g, ', "')},'`).join(' ')} '  ]' '}' > /etc/agent-image.json`);

  test('pass if every tool in the list of the image works', async () => {
    await expectToPass(manifest({ name: 'bash', version: '5', installedBy: 'os', verify: 'bash --version' }), propertiesOf(SmokeTest.tools()));
  });

  test('fail if one does not work, with its name', async () => {
    const reason = await reasonOf([
      manifest({ name: 'there', version: '1', installedBy: 'os', verify: 'echo 1' }, { name: 'uv', version: '1', installedBy: 'custom', verify: 'uv-gone --version' }),
      propertiesOf(SmokeTest.tools()),
    ]);

    expect(reason).toMatch(/^smoke test "tools" on endpoint "v1" failed: exit code 1, expected 0: if \[ ! -r/);
    expect(reason).toMatch(/output ends with:\nthere: 1\nuv: "uv-gone --version" failed: sh: .*uv-gone.*not found\nthe image lacks: uv$/);
  });

  test('fail in an image without such a list', async () => {
    const reason = await reasonOf([commandTest('rm -f /etc/agent-image.json'), propertiesOf(SmokeTest.tools())]);
    expect(reason).toMatch(/output ends with:\n\/etc\/agent-image\.json does not exist: the image was not built by AgentImage$/);
  });
});

describe('the agent', () => {
  /** Puts a command into the session that answers as the runner does. */
  const runner = (exitCode: number) => commandTest(
    `mkdir -p /tmp/bin && printf '#!/bin/sh\\n[ "$1" = check ] || exit 9\\necho "checked"\\nexit ${exitCode}\\n' > /usr/local/bin/workbench-agent && chmod +x /usr/local/bin/workbench-agent`);

  test('passes if the runner finds that it could begin', async () => {
    await expectToPass(runner(0), propertiesOf(SmokeTest.agent()));
  });

  test('fails with what the runner prints', async () => {
    expect(await reasonOf([runner(1), propertiesOf(SmokeTest.agent())])).toMatch(
      /^smoke test "agent" on endpoint "v1" failed: exit code 1, expected 0: workbench-agent check[^]*output ends with:\nchecked$/);
  });
});

describe('a mount', () => {
  const writable = propertiesOf(SmokeTest.writable('/mnt/workspace/'));

  test('passes if a file can be written and read back, and leaves no file', async () => {
    await expectToPass(writable, commandTest('test -z "$(ls -A /mnt/workspace)"'));
  });

  test('fails if it is read-only', async () => {
    const reason = await reasonOf([commandTest('mount -o remount,bind,ro /mnt/workspace'), writable]);
    expect(reason).toMatch(/^smoke test "writable \/mnt\/workspace" on endpoint "v1" failed: exit code 1, expected 0: file="\/mnt\/workspace\//);
    expect(reason).toMatch(/output ends with:\n.*\/mnt\/workspace\/\.smoke-\d+: Read-only file system$/);
  });

  test('fails if it does not exist', async () => {
    const reason = await reasonOf([propertiesOf(SmokeTest.writable('/mnt/elsewhere'))]);
    expect(reason).toMatch(/output ends with:\n.*\/mnt\/elsewhere\/\.smoke-\d+: No such file or directory$/);
  });
});

describe('an invoke', () => {
  test('passes with a matching reply, in text or JSON', async () => {
    await expectToPass(invokeTest({}, '^\\{"answer":"pong"\\}$'), invokeTest({}));
  });

  test('fails with a reply that does not match, and shows it', async () => {
    expect(await reasonOf([invokeTest({}, '^ping$')]))
      .toBe('smoke test "invoke" on endpoint "v1" failed: the agent\'s reply does not match /^ping$/\noutput ends with:\n{"answer":"pong"}');
  });

  test('matches the text of a reply that is not JSON', async () => {
    answer = () => 'two words';
    await expectToPass(invokeTest({}, '^two words$'));
  });

  test('fails if the agent reports a failure', async () => {
    answer = () => ({ error: 'the model is gone' });
    expect(await reasonOf([invokeTest({})])).toBe('smoke test "invoke" on endpoint "v1" failed: the agent says that its turn failed: the model is gone');
  });

  test('fails if the container answers with an error (424) for three minutes', async () => {
    const fault = fixture.server.faults.add({ operation: 'InvokeAgentRuntime', at: 'beforeStart', kind: 'agentError', times: 100 });
    expect(await reasonOf([invokeTest({})])).toBe('smoke test "invoke" on endpoint "v1" failed: RuntimeClientError: injected: agentError');
    expect(fault.fired).toBeGreaterThan(10);
  });

  test('fails if the agent does not answer in time', async () => {
    answer = () => new Promise(() => {});
    expect(await reasonOf([{ ...invokeTest({}), TimeoutSeconds: '1' }])).toBe(
      'smoke test "invoke" on endpoint "v1" failed: the agent did not answer in 1 seconds; it may still be running until its session is stopped');
  });

  test('does not start if there is no time to see its end', async () => {
    answer = () => { throw new Error('was begun'); };
    expect(await reasonOf([{ ...invokeTest({}), TimeoutSeconds: '61' }], '60'))
      .toBe('waited 60 seconds for smoke test "invoke" on endpoint "v1" to end; "timeout" can be up to 3000 seconds');
  });
});
