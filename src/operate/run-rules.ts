import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { RUN_EVENTS } from './constants';
import { RunEvents } from './run-events';
import { RunMessage } from './run-message';
import { throwOnFaults } from '../private/validation';

/** The events of one loop, for rules. */
export interface RunEventSource {
  readonly scope: Construct;
  readonly events?: RunEvents;
  readonly stateMachineArn: string;
}

/** Creates a rule for one detail type of the events of a loop's runs. */
export function ruleOf(
  { scope, events: runEvents, stateMachineArn }: RunEventSource, method: string, detailType: string, id: string, options: events.OnEventOptions,
  outcomes?: readonly string[],
): events.Rule {
  if (runEvents === undefined) {
    throwOnFaults(scope, [`"${method}" must have events to wait for, and the loop sends none: set "events", such as to RunEvents.onDefaultBus()`]);
  }
  const { target, eventPattern, crossStackScope, ...props } = options;
  // eslint-disable-next-line awscdk/no-variable-construct-id -- the caller's, as in the onXxx methods of the CDK
  const rule = new events.Rule(crossStackScope ?? scope, id, {
    eventBus: runEvents!._bind(scope).eventBus,
    ...props,
    ...(target === undefined ? {} : { targets: [target] }),
  });
  if (eventPattern !== undefined) rule.addEventPattern(eventPattern);
  rule.addEventPattern({
    source: [RUN_EVENTS.source],
    detailType: [detailType],
    detail: { stateMachineArn: [stateMachineArn], ...(outcomes === undefined ? {} : { outcome: [...outcomes] }) },
  });
  return rule;
}

/** Returns the target that sends a chat message about an event to a topic. */
export function chatTarget(topic: sns.ITopic): events.IRuleTarget {
  return new targets.SnsTopic(topic, { message: RunMessage.forChat() });
}
