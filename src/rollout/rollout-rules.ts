import { Duration, Token, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { LIMITS, SMOKE_TEST_KINDS } from './handler/constants';
import type { RuntimeRolloutProps } from './runtime-rollout';
import { SmokeTestConfig } from './smoke-test';
import { LIMITS as SESSION_LIMITS } from '../jobs/constants';
import { secretFaults } from '../private/secrets';
import { durationFaults } from '../private/validation';

/** What is wrong with the props of a rollout. */
export function rolloutFaults(props: RuntimeRolloutProps): string[] {
  const { keepEndpoints, retention, timeout, drainTimeout, smokeTests = [], drainStateMachineNames = [] } = props;
  const timeoutSeconds = timeout === undefined || timeout.isUnresolved() ? LIMITS.timeoutSeconds.default : timeout.toSeconds({ integral: false });
  return [
    ...numberFaults('keepEndpoints', keepEndpoints, LIMITS.keepEndpoints, `a runtime has ${LIMITS.endpoints} endpoints and one is "DEFAULT"`),
    ...durationFaults('retention', retention, 0, LIMITS.retentionSeconds.max, 'make it shorter, and use RemovalPolicy.RETAIN to keep endpoints for good'),
    ...durationFaults('timeout', timeout, LIMITS.timeoutSeconds.min, LIMITS.timeoutSeconds.max, 'CloudFormation waits for an hour at most, make it shorter'),
    ...durationFaults('drainTimeout', drainTimeout, 0, timeoutSeconds, 'make it shorter, or "timeout" longer'),
    ...(smokeTests.length <= LIMITS.smokeTests ? []
      : [`"smokeTests" has ${smokeTests.length} tests, at most ${LIMITS.smokeTests} are allowed: put several into one command`]),
    ...drainStateMachineNames.filter((name) => !Token.isUnresolved(name) && !/^[A-Za-z0-9_-]{1,80}$/.test(name)).map((name) => (
      `"drainStateMachineNames" has "${name}", 1 to 80 of a-z, A-Z, 0-9, "-" and "_" are allowed: give the name of a state machine, not its ARN`)),
  ];
}

/** What is wrong with the tests, alone and together, in a rollout that may take so long. */
export function smokeTestFaults(scope: IConstruct, tests: readonly SmokeTestConfig[], rolloutTimeout: Duration): string[] {
  const invokes = tests.filter(({ payload }) => payload !== undefined);
  const invokeSeconds = invokes.reduce((sum, { timeout }) => sum + (timeout.isUnresolved() ? 0 : timeout.toSeconds({ integral: false })), 0);
  return [
    ...tests.flatMap((test, index) => faultsOfTest(scope, test, `smokeTests[${index}]`)),
    ...tests.flatMap((test, index) => outlivingFaults(test, `smokeTests[${index}]`, rolloutTimeout)),
    ...(invokes.length === 0 || rolloutTimeout.isUnresolved() || invokeSeconds < rolloutTimeout.toSeconds({ integral: false }) ? []
      // It is begun only with the time to see its end.
      : [`"smokeTests" has invokes that may take ${invokeSeconds} seconds, less than the ${rolloutTimeout.toSeconds({ integral: false })} of "timeout" are allowed: `
        + 'shorten their timeouts, or make "timeout" longer']),
    // One call of the function makes all of them: it cannot attach to an invoke that an earlier call began.
    ...(invokes.length > 1 && invokeSeconds > LIMITS.invokeSeconds.max
      ? [`"smokeTests" has invokes that may take ${invokeSeconds} seconds together, at most ${LIMITS.invokeSeconds.max} are allowed: shorten their timeouts`] : []),
  ];
}

/** A command that does not end would fail the rollout, which knows nothing of its output. */
function outlivingFaults({ payload, timeout }: SmokeTestConfig, prop: string, rolloutTimeout: Duration): string[] {
  if (payload !== undefined || timeout.isUnresolved() || rolloutTimeout.isUnresolved()) return [];
  const [seconds, limit] = [timeout, rolloutTimeout].map((duration) => duration.toSeconds({ integral: false }));
  if (seconds < limit) return [];
  return [`"${prop}.timeout" is ${seconds} seconds, less than the ${limit} of "timeout" are allowed: make it shorter, or "timeout" longer`];
}

function faultsOfTest(scope: IConstruct, test: SmokeTestConfig, prop: string): string[] {
  const { command, payload, expectExitCode, expect, timeout } = test;
  const { min, max } = payload === undefined ? LIMITS.commandSeconds : LIMITS.invokeSeconds;
  const bytes = command === undefined || Token.isUnresolved(command) ? 1 : Buffer.byteLength(command);
  return [
    ...((command === undefined) !== (payload === undefined) ? [] : [`"${prop}" has ${command === undefined ? 'neither a command nor' : 'both a command and'} a payload, one is needed`]),
    ...(bytes > 0 && bytes <= SESSION_LIMITS.commandBytes ? []
      : [`"${prop}" has a command of ${bytes} bytes, 1 to ${SESSION_LIMITS.commandBytes} are allowed: put it into a script in the image`]),
    ...numberFaults(`${prop}.expectExitCode`, expectExitCode, { min: 0, max: 255 }, 'bash knows no other'),
    ...(expect === undefined || Token.isUnresolved(expect) || isPattern(expect) ? []
      : [`"${prop}.expect" is "${expect}", a regular expression is needed: escape its special characters`]),
    ...durationFaults(`${prop}.timeout`, timeout, min, max, 'make it shorter'),
    ...secretFaults(scope, { [prop]: command, [`${prop}.payload`]: payload }),
  ];
}

function numberFaults(prop: string, value: number | undefined, { min, max }: { min: number; max: number }, why: string): string[] {
  if (value === undefined || Token.isUnresolved(value) || (Number.isInteger(value) && value >= min && value <= max)) return [];
  return [`"${prop}" is ${value}, a whole number from ${min} to ${max} is allowed, since ${why}: change it`];
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source) !== undefined;
  } catch {
    return false;
  }
}

/** A test as the handler reads it, where everything is a string. */
export function smokeTestProperties({ name, command, expectExitCode, payload, expect, timeout }: SmokeTestConfig) {
  return {
    Name: name,
    Kind: payload === undefined ? SMOKE_TEST_KINDS.COMMAND : SMOKE_TEST_KINDS.INVOKE,
    Command: command,
    ExitCode: expectExitCode === undefined ? undefined : Tokenization.stringifyNumber(expectExitCode),
    Payload: payload,
    Expect: expect,
    TimeoutSeconds: Tokenization.stringifyNumber(timeout.toSeconds()),
  };
}
