import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { LoopTarget } from './loop-graph';
import { STEPS } from './steps/constants';
import { throwOnFaults } from '../private/validation';

/**
 * Stops the session of an execution that Step Functions ends, because it is aborted, timed out or has too much data: it does not reach its last
 * state. The driver reads from the cause whether a failure was the run's own; an event pattern cannot.
 */
export function stopCutOffRuns(scope: Construct, stateMachine: sfn.StateMachine, { driver, runtimeArn, config: whole, stop }: LoopTarget): void {
  // No command of the user's runs here, and an input template has at most 8,192 characters. EventBridge API reference, `InputTransformer`.
  const { environment, ...config } = whole;
  throwOnFaults(scope, placeholdersIn(config).map((text) =>
    `"${text}" must not contain "<" or ">", which are placeholders in the input of the rule that stops sessions: change it`));
  new events.Rule(scope, 'CutOff', {
    description: 'Stops the session of a run that Step Functions ended',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [stateMachine.stateMachineArn], status: ['ABORTED', 'TIMED_OUT', 'FAILED'] },
    },
    targets: [new targets.LambdaFunction(driver.function, {
      event: events.RuleTargetInput.fromObject({ operation: STEPS.CLEAN_UP, runtimeArn, config, stop, detail: events.EventField.fromPath('$.detail') }),
    })],
  });
}

/** Returns each text in a value that EventBridge would take for a placeholder. */
function placeholdersIn(value: unknown): string[] {
  if (typeof value === 'string') return /[<>]/.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(placeholdersIn) : [];
}
