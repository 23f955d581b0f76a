import { ResourceEnvironment, Stack, Token, TokenComparison } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct, IConstruct } from 'constructs';
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
    throwOnFaults(scope, [`"${method}" needs the events of the loop, which sends none: set "events" of the loop, such as RunEvents.onDefaultBus()`]);
  }
  const { target, eventPattern, crossStackScope, ...props } = options;
  const { eventBus } = runEvents!._bind(scope);
  throwOnFaults(scope, [
    ...placeFaults(method, eventBus?.env ?? Stack.of(scope), crossStackScope ?? scope),
    ...patternFaults(method, eventPattern, outcomes),
  ]);
  // eslint-disable-next-line awscdk/no-variable-construct-id -- the caller's, as in the onXxx methods of the CDK
  const rule = new events.Rule(crossStackScope ?? scope, id, {
    eventBus,
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

/** Returns a fault if the rule would not be in the account and the Region of the bus: it would be a rule of a bus of the same name. */
function placeFaults(method: string, bus: Pick<ResourceEnvironment, 'account' | 'region'>, place: IConstruct): string[] {
  const { account, region } = Stack.of(place);
  const compared = [['account', bus.account, account], ['Region', bus.region, region]];
  const different = compared.filter(([, expected, actual]) => Token.compareStrings(expected, actual) === TokenComparison.DIFFERENT);
  return different.map(([what, expected, actual]) => `"${method}" must create its rule in the ${what} of the bus, ${expected}, not in ${actual}: `
    + 'create a Rule there, or set "crossStackScope" to a construct there');
}

/** Returns a fault for each field of a pattern that the method sets: the CDK would match the values of both, and not only those of the pattern. */
function patternFaults(method: string, pattern: events.EventPattern | undefined, outcomes: readonly string[] | undefined): string[] {
  const { source, detailType, detail = {} } = pattern ?? {};
  const fields = { source, detailType, 'detail.stateMachineArn': detail.stateMachineArn, 'detail.outcome': outcomes && detail.outcome };
  return Object.entries(fields).filter(([, value]) => value !== undefined).map(([field]) => `"eventPattern" must not have "${field}", which "${method}" sets: `
    + (field === 'detail.outcome' ? 'use "onFinished" for other outcomes' : 'leave it out, or create a Rule'));
}

/** The maximum number of targets of a rule. EventBridge user guide, "Quotas". */
const TARGETS = 5;

/** Adds a topic to a rule that sends chat messages, once for each topic. */
export function addTopic(rule: events.Rule, topics: Set<sns.ITopic>, topic: sns.ITopic): events.Rule {
  if (topics.has(topic)) return rule;
  throwOnFaults(rule, topics.size < TARGETS ? [] : [
    `"notifyOnFinished" must have at most ${TARGETS} topics, the targets of one rule: for more, use "onFinished" with RunMessage.forChat()`,
  ]);
  topics.add(topic);
  rule.addTarget(chatTarget(topic));
  return rule;
}

/** Returns the target that sends a chat message about an event to a topic. */
function chatTarget(topic: sns.ITopic): events.IRuleTarget {
  return new targets.SnsTopic(topic, { message: RunMessage.forChat() });
}
