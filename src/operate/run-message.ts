import * as events from 'aws-cdk-lib/aws-events';

/** Messages about the events of a loop's runs, as inputs of rule targets. */
export class RunMessage {
  /**
   * A custom notification for Amazon Q Developer in chat applications (AWS Chatbot), for an SNS topic that a chat channel is subscribed to. The
   * messages of a run form one thread.
   */
  public static forChat(): events.RuleTargetInput {
    const field = (name: string) => events.EventField.fromPath(`$.detail.${name}`);
    // Each value is one whole field, which EventBridge writes as a JSON string, so that text from a run cannot terminate the string.
    return events.RuleTargetInput.fromObject({
      version: '1.0',
      source: 'custom',
      id: events.EventField.eventId,
      content: { textType: 'client-markdown', title: field('title'), description: field('message') },
      metadata: {
        threadId: field('executionName'),
        summary: field('title'),
        eventType: events.EventField.detailType,
        relatedResources: [field('execution')],
        additionalContext: { loop: field('loop'), taskId: field('taskId') },
      },
    });
  }

  /** One line of text as a JSON string, for an SNS topic with email subscriptions. */
  public static asText(): events.RuleTargetInput {
    return events.RuleTargetInput.fromEventPath('$.detail.message');
  }

  private constructor() {}
}
