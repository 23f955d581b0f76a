/**
 * The outcome of a command when something breaks while it runs: the faults of the wire at each point of a call, once and at
 * every call, for each way in which the service may behave where its documentation is silent.
 *
 * Each cell is an outcome: a verdict, or the error that the state machine sees. Whatever the cell says, a command is never started
 * twice, and is never `PASSED` without a pass. The last column is the outcome of another call after the fault is gone.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultKind, FaultPoint } from '../../rehearsal/agentcore';
import { LocalFunction } from '../../rehearsal/lambda';
import { SYSTEM_CLOCK } from '../../src/handler/clock';
import { ERRORS } from '../../src/jobs/constants';
import { runJob } from '../../src/jobs/run-job';
import { DriverFixture, summary } from '../support/session-driver';

const { THROTTLED, CONFLICT, SERVER, STREAM_CUT, VALIDATION, ACCESS_DENIED, NOT_FOUND, CONTAINER } = ERRORS;
const PASSED = 'PASSED';
const MICROVM = 'LOST MICROVM';
const ABSENT = 'LOST ABSENT';

const SERVICES = [
  { commandMode: 'strict', leftovers: 'keep' },
  { commandMode: 'strict', leftovers: 'kill' },
  { commandMode: 'split', leftovers: 'keep' },
  { commandMode: 'shell', leftovers: 'kill' },
] as const;

const drivers: DriverFixture[] = [];
beforeAll(async () => {
  for (const service of SERVICES) drivers.push(await DriverFixture.start(service));
});
afterAll(() => Promise.all(drivers.map((driver) => driver.close())));

interface Cell {
  readonly driver: DriverFixture;
  readonly kind: FaultKind;
  readonly point: FaultPoint;
  readonly times: number;
}

let cells = 0;

/** Runs one command that meets a fault, and calls again without the fault. */
async function strike({ driver, kind, point, times }: Cell): Promise<{ fired: boolean; struck: string; again: string; starts: number }> {
  const sessionId = await driver.session();
  const file = `starts-${++cells}`;
  const go = join(driver.shared, `go-${cells}`);
  const command = `echo start >>${driver.shared}/${file}; echo begun; while [[ ! -e ${go} ]]; do sleep 0.02; done; printf '%s\\n' {1..200}`;
  const request = driver.request(sessionId, { command });
  let striking = true;
  const fault = driver.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: point, kind, times, afterBytes: 75, match: (call) => striking && call.sessionId === sessionId,
  });
  const running = driver.run(request);
  // In mid-output, the command is still running when the fault occurs, and the fault ends it.
  if (point === 'midOutput') await driver.struck(sessionId);
  if (!(point === 'midOutput' && (kind === 'replaceMicrovm' || kind === 'wipeWorkspace'))) writeFileSync(go, '');
  const struck = summary(await running);
  striking = false;
  const again = summary(await driver.run(request));
  return { fired: fault.fired > 0, struck, again, starts: driver.starts(file) };
}

describe.each`
  kind                | point            | once             | always           | again
  ${'throttle'}       | ${'beforeStart'} | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'throttle'}       | ${'firstByte'}   | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'throttle'}       | ${'midOutput'}   | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'throttle'}       | ${'beforeEnd'}   | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'quota'}          | ${'beforeStart'} | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'quota'}          | ${'firstByte'}   | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'quota'}          | ${'midOutput'}   | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'quota'}          | ${'beforeEnd'}   | ${PASSED}        | ${THROTTLED}     | ${PASSED}
  ${'conflict'}       | ${'beforeStart'} | ${PASSED}        | ${CONFLICT}      | ${PASSED}
  ${'agentError'}     | ${'beforeStart'} | ${PASSED}        | ${CONTAINER}     | ${PASSED}
  ${'agentError'}     | ${'firstByte'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'agentError'}     | ${'midOutput'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'agentError'}     | ${'beforeEnd'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'internal'}       | ${'beforeStart'} | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'internal'}       | ${'firstByte'}   | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'internal'}       | ${'midOutput'}   | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'internal'}       | ${'beforeEnd'}   | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'accessDenied'}   | ${'beforeStart'} | ${ACCESS_DENIED} | ${ACCESS_DENIED} | ${PASSED}
  ${'accessDenied'}   | ${'midOutput'}   | ${ACCESS_DENIED} | ${ACCESS_DENIED} | ${PASSED}
  ${'notFound'}       | ${'beforeStart'} | ${NOT_FOUND}     | ${NOT_FOUND}     | ${PASSED}
  ${'notFound'}       | ${'midOutput'}   | ${NOT_FOUND}     | ${NOT_FOUND}     | ${PASSED}
  ${'validation'}     | ${'beforeStart'} | ${VALIDATION}    | ${VALIDATION}    | ${PASSED}
  ${'validation'}     | ${'midOutput'}   | ${VALIDATION}    | ${VALIDATION}    | ${PASSED}
  ${'reset'}          | ${'beforeStart'} | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'reset'}          | ${'firstByte'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'reset'}          | ${'midOutput'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'reset'}          | ${'beforeEnd'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'end'}            | ${'beforeStart'} | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'end'}            | ${'firstByte'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'end'}            | ${'midOutput'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'end'}            | ${'beforeEnd'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'platformExit'}   | ${'beforeStart'} | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'platformExit'}   | ${'firstByte'}   | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'platformExit'}   | ${'midOutput'}   | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'platformExit'}   | ${'beforeEnd'}   | ${PASSED}        | ${SERVER}        | ${PASSED}
  ${'replaceMicrovm'} | ${'beforeStart'} | ${PASSED}        | ${PASSED}        | ${PASSED}
  ${'replaceMicrovm'} | ${'firstByte'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'replaceMicrovm'} | ${'midOutput'}   | ${MICROVM}       | ${STREAM_CUT}    | ${MICROVM}
  ${'replaceMicrovm'} | ${'beforeEnd'}   | ${PASSED}        | ${STREAM_CUT}    | ${PASSED}
  ${'wipeWorkspace'}  | ${'beforeStart'} | ${PASSED}        | ${PASSED}        | ${PASSED}
  ${'wipeWorkspace'}  | ${'firstByte'}   | ${PASSED}        | ${PASSED}        | ${PASSED}
  ${'wipeWorkspace'}  | ${'midOutput'}   | ${ABSENT}        | ${ABSENT}        | ${ABSENT}
  ${'wipeWorkspace'}  | ${'beforeEnd'}   | ${PASSED}        | ${PASSED}        | ${ABSENT}
`('$kind at $point', ({ kind, point, once, always, again }: { kind: FaultKind; point: FaultPoint; once: string; always: string; again: string }) => {
  test.each([['once', 1, once], ['at every call', Infinity, always]] as const)('%s', async (_, times, expected) => {
    const results = await Promise.all(drivers.map((driver) => strike({ driver, kind, point, times })));
    expect(results).toEqual(drivers.map(() => ({ fired: true, struck: expected, again, starts: 1 })));
  }, 60_000);
});

/** The bundle as it is deployed, in a process of its own; the state machine attaches after a function has died. */
describe.each`
  point            | again     | starts
  ${'beforeStart'} | ${ABSENT} | ${0}
  ${'firstByte'}   | ${PASSED} | ${1}
  ${'midOutput'}   | ${PASSED} | ${1}
  ${'beforeEnd'}   | ${PASSED} | ${1}
`('a function that is killed at $point', ({ point, again, starts }: { point: FaultPoint; again: string; starts: number }) => {
  test.each(SERVICES.map((service, index) => [service.commandMode, service.leftovers, index] as const))('%s, %s leftovers', async (_, __, index) => {
    const driver = drivers[index];
    const deployed = new LocalFunction({
      name: 'driver',
      arn: 'arn:aws:lambda:us-east-1:123456789012:function:driver',
      handler: 'index.handler',
      timeoutSeconds: 900,
      region: 'us-east-1',
      directory: join(__dirname, '../../assets/driver/session-driver.lambda'),
      environment: { AWS_ENDPOINT_URL: driver.server.endpoint },
    });
    const sessionId = await driver.session();
    const file = `starts-${++cells}`;
    const request = driver.request(sessionId, { command: `echo start >>${driver.shared}/${file}; echo begun; sleep 0.3; echo ended` });
    // No more output arrives: the function waits there until it is killed.
    driver.server.faults.add({
      operation: 'InvokeAgentRuntimeCommand', at: point, kind: 'hang', afterBytes: 75, match: (call) => call.sessionId === sessionId,
    });
    const answer = deployed.invoke({ ...request, mode: 'start' });
    await driver.struck(sessionId);
    await deployed.kill();
    await driver.started(file, starts);
    expect(await answer).toMatchObject({ failure: { errorType: 'Runtime.ExitError' } });
    expect(summary(await driver.run({ ...request, mode: 'attach' }))).toBe(again);
    expect(driver.starts(file)).toBe(starts);
  }, 30_000);
});

test('an output that exceeds the limit of a reply ends correctly, even where a call\'s leftovers are killed', async () => {
  const driver = drivers[1];
  const sessionId = await driver.session();
  const command = `head -c 70000000 /dev/zero | tr "\\0" x; while [[ ! -e ${driver.shared}/go ]]; do sleep 0.05; done; echo; echo end`;
  const running = driver.run(driver.request(sessionId, { command, logBytes: 134_217_728 }));
  for (const _call of ['start', 'attach']) await driver.server.calls.next({ operation: 'InvokeAgentRuntimeCommand' });
  writeFileSync(join(driver.shared, 'go'), '');
  const outcome = await running;
  expect(outcome).toMatchObject({ verdict: 'PASSED', outputBytes: 70_000_005, attaches: 1, tail: expect.stringMatching(/end\n$/) });
}, 60_000);

test.each(['end', 'reset', 'exception'] as const)('tells a replaced microVM from a broken connection, however the stream ends: %s', async (onSessionEnd) => {
  const driver = await DriverFixture.start({ onSessionEnd });
  try {
    const sessionId = await driver.session();
    driver.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', afterBytes: 75, kind: 'replaceMicrovm' });
    expect(summary(await driver.run(driver.request(sessionId, { command: 'echo begun; sleep 60' })))).toBe(MICROVM);
  } finally {
    await driver.close();
  }
});

test('abandons a connection that is silent, and attaches to the command', async () => {
  const driver = drivers[0];
  const sessionId = await driver.session();
  driver.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', afterBytes: 75, kind: 'hang', match: (call) => call.sessionId === sessionId });
  const retried: string[] = [];
  const result = await runJob(driver.request(sessionId, { command: 'echo begun; sleep 0.3; echo end' }), {
    client: driver.fixture.client,
    clock: SYSTEM_CLOCK,
    until: Date.now() + 60_000,
    backoffSeconds: 0,
    silenceSeconds: 0.5,
    onRetry: (error) => retried.push(error.name),
  });
  expect(result).toMatchObject({ verdict: 'PASSED', tail: 'begun\nend\n' });
  expect(retried).toEqual([STREAM_CUT]);
});
