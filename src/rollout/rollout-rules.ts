import { CfnOutput, CustomResource, Duration, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ATTRIBUTES, LIMITS } from './handler/constants';
import { RuntimeRolloutProps } from './runtime-rollout-props';
import { SmokeTest } from './smoke-test';
import { durationFaults, faultsOf, Rule } from '../private/validation';

const { min: KEEP_MIN, max: KEEP_MAX } = LIMITS.keepEndpoints;

/** A name that is not known at synth passes. */
function isStateMachineName(name: string): boolean {
  return Token.isUnresolved(name) || /^[A-Za-z0-9_-]{1,80}$/.test(name);
}

const ROLLOUT_RULES: readonly Rule<RuntimeRolloutProps>[] = [
  {
    broken: ({ keepEndpoints: keep }) => keep !== undefined && !Token.isUnresolved(keep)
      && !(Number.isInteger(keep) && keep >= KEEP_MIN && keep <= KEEP_MAX),
    message: ({ keepEndpoints }) => `"keepEndpoints" must be a whole number from ${KEEP_MIN} to ${KEEP_MAX}, not ${keepEndpoints}: `
      + `change it, since a runtime has ${LIMITS.endpoints} endpoints, including "DEFAULT"`,
  },
  {
    broken: ({ smokeTests = [] }) => smokeTests.length > LIMITS.smokeTests,
    message: ({ smokeTests = [] }) => `"smokeTests" must have at most ${LIMITS.smokeTests} tests, not ${smokeTests.length}: combine commands`,
  },
  {
    broken: ({ drainStateMachineNames = [] }) => !drainStateMachineNames.every(isStateMachineName),
    message: ({ drainStateMachineNames = [] }) => '"drainStateMachineNames" must have names of 1 to 80 letters, digits, "-" and "_", '
      + `not ${drainStateMachineNames.filter((name) => !isStateMachineName(name)).map((name) => `"${name}"`).join(', ')}: use the name of a state machine, not its ARN`,
  },
];

/** Returns everything that is wrong with the props of a rollout. */
export function rolloutFaults(scope: IConstruct, props: RuntimeRolloutProps, tests: readonly SmokeTest[], rolloutTimeout: Duration): string[] {
  const { retention, timeout, drainTimeout, runtime } = props;
  const { timeoutSeconds, retentionSeconds } = LIMITS;
  return [
    ...faultsOf(props, ROLLOUT_RULES),
    ...durationFaults('retention', retention, 0, retentionSeconds.max, 'lower it, and use RemovalPolicy.RETAIN to keep endpoints for good'),
    ...durationFaults('timeout', timeout, timeoutSeconds.min, timeoutSeconds.max, 'lower it, since CloudFormation waits for an hour at most'),
    ...durationFaults('drainTimeout', drainTimeout, 0, secondsOf(timeout) ?? timeoutSeconds.default, 'lower it, or raise "timeout"'),
    ...faultsOf({ scope, runtime }, STACK_RULES),
    ...tests.flatMap((test, index) => test._faults(scope, `smokeTests[${index}]`)),
    ...outlivingFaults(tests, secondsOf(rolloutTimeout)),
  ];
}

/** Returns faults for tests that a rollout could not see the end of, so that it would fail without their output. */
function outlivingFaults(tests: readonly SmokeTest[], limit: number | undefined): string[] {
  const inOneCall = tests.filter(({ _takesOneCall }) => _takesOneCall);
  const together = inOneCall.reduce((sum, { _timeout }) => sum + (secondsOf(_timeout) ?? 0), 0);
  return [
    ...tests.flatMap(({ _takesOneCall, _timeout }, index) => {
      const seconds = secondsOf(_timeout);
      return _takesOneCall || limit === undefined || seconds === undefined || seconds < limit ? []
        : [`"smokeTests[${index}].timeout" must be less than the ${limit} seconds of "timeout", not ${seconds}: lower it, or raise "timeout"`];
    }),
    // An invoke only starts while there is time to see its end.
    ...(inOneCall.length === 0 || limit === undefined || together < limit ? []
      : [`"smokeTests" must have invokes that take less than the ${limit} seconds of "timeout" together, not ${together}: lower their timeouts, or raise "timeout"`]),
    ...(inOneCall.length <= 1 || together <= LIMITS.invokeSeconds.max ? []
      : [`"smokeTests" must have invokes that take at most ${LIMITS.invokeSeconds.max} seconds together, not ${together}: lower their timeouts`]),
  ];
}

/** Returns the seconds of a duration, or `undefined` if they are not known at synth. */
function secondsOf(duration: Duration | undefined): number | undefined {
  return duration === undefined || duration.isUnresolved() ? undefined : duration.toSeconds({ integral: false });
}

const WHY = 'CloudFormation refuses to change what one stack exports while another imports it, and each version changes it';

/** The version of a runtime in another stack would be an export. Nested stacks pass values as parameters. */
const STACK_RULES: readonly Rule<{ readonly scope: IConstruct; readonly runtime: IConstruct }>[] = [
  {
    broken: ({ scope, runtime }) => outermostStackOf(scope) !== outermostStackOf(runtime),
    message: ({ scope, runtime }) => `"runtime" must be in the stack of the rollout, "${outermostStackOf(scope).node.path}", `
      + `not in "${outermostStackOf(runtime).node.path}", since ${WHY}: create the rollout in the stack of the runtime`,
  },
];

/** Returns faults for attributes of the rollout that other stacks use, which is known once all references are resolved. */
export function exportFaults(scope: IConstruct, resource: CustomResource): string[] {
  const stack = Stack.of(scope);
  const outputs = stack.node.tryFindChild('Exports')?.node.findAll().filter((child): child is CfnOutput => child instanceof CfnOutput) ?? [];
  const exported = outputs.map(({ value }) => JSON.stringify(stack.resolve(value)));
  const attributes = { endpoint: ATTRIBUTES.ENDPOINT_NAME, version: ATTRIBUTES.VERSION };
  return Object.entries(attributes)
    .filter(([, attribute]) => exported.includes(JSON.stringify(stack.resolve(resource.getAtt(attribute)))))
    .map(([prop]) => `"${prop}" must not be used in another stack, since ${WHY}: `
      + 'use it in the stack of the rollout, or write it to an SSM parameter there, to be read at run time');
}

function outermostStackOf(construct: IConstruct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent !== undefined) stack = stack.nestedStackParent;
  return stack;
}
