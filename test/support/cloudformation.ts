import { RolloutEvent, RolloutProperties } from '../../src/rollout/rollout-request.client';

/** What the framework sends to CloudFormation in the end. */
export interface Response {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly reason: string;
  readonly physicalId: string;
  readonly data: { readonly EndpointName?: string; readonly Version?: string };
}

export interface Handlers {
  onEvent(event: RolloutEvent): Promise<object>;
  isComplete(event: RolloutEvent): Promise<{ readonly IsComplete: boolean; readonly Data?: object }>;
}

/** A function that ended without an answer. */
export class LambdaDied extends Error {}

/** Whose physical id makes the framework ignore the deletion that follows. */
const CREATE_FAILED = 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED';

let requests = 0;

/**
 * The provider framework of the CDK: asks `onEvent` once and `isComplete` until it is, hands on what they return, and turns an
 * error into a failed response.
 */
export class ProviderFramework {
  constructor(
    private readonly handlers: Handlers,
    /** Lets the ten seconds between two questions pass. */
    private readonly pause: () => Promise<void>,
    /** When a function died: whether the same event is handed over once more, as when its invocation could not be made out, or fails. */
    private readonly onDeath: 'again' | 'fail' = 'again',
  ) {}

  public async request(type: RolloutEvent['RequestType'], properties: RolloutProperties, physicalId?: string): Promise<Response> {
    const sent: RolloutEvent = {
      RequestType: type,
      RequestId: `11111111-2222-3333-4444-${`${++requests}`.padStart(12, '0')}`,
      StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/a-stack/51af3dc0-da77-11e4-872e-1234567db123',
      LogicalResourceId: 'RolloutResource12345678',
      PhysicalResourceId: physicalId,
      ResourceProperties: stringified(properties),
      ResponseURL: SECRET_URL,
    } as RolloutEvent;
    if (physicalId === CREATE_FAILED) return { status: 'SUCCESS', reason: '', physicalId, data: {} };
    let event = sent;
    try {
      const begun = await this.alive(() => this.handlers.onEvent(structuredClone(sent)));
      event = { ...sent, ...jsonCopy(begun) };
      if (physicalId !== undefined && event.PhysicalResourceId !== physicalId) throw new Error('the physical id has changed');
      for (let questions = 0; questions < 400; questions++) {
        const completion = await this.alive(() => this.handlers.isComplete(jsonCopy(event)));
        if (completion.IsComplete) {
          return response('SUCCESS', event, '', completion.Data);
        }
        if (completion.Data !== undefined) throw new Error('"Data" is not allowed if "IsComplete" is "False"');
        await this.pause();
      }
      return response('FAILED', event, 'Operation timed out');
    } catch (error) {
      const { message, stack } = error as Error;
      const trace = (stack ?? '').split('\n').slice(1).join('\n');
      return response('FAILED', event, [message, '', 'Logs: /aws/lambda/a-stack-RolloutProviderIsComplete12345678-abcdefghijkl', '', trace].join('\n'));
    }
  }

  private async alive<T>(invoke: () => Promise<T>): Promise<T> {
    for (let deaths = 0; ; deaths++) {
      try {
        return await invoke();
      } catch (error) {
        if (!(error instanceof LambdaDied) || this.onDeath === 'fail' || deaths > 20) throw error;
      }
    }
  }
}

/** As good as a password. */
export const SECRET_URL = 'https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn?X-Amz-Signature=0123456789abcdef';

function response(status: Response['status'], event: RolloutEvent, reason: string, data: Response['data'] = {}): Response {
  const body = JSON.stringify({
    Status: status,
    Reason: reason,
    StackId: event.StackId,
    RequestId: event.RequestId,
    PhysicalResourceId: event.PhysicalResourceId ?? CREATE_FAILED,
    LogicalResourceId: event.LogicalResourceId,
    Data: data,
  });
  if (Buffer.byteLength(body) > 4_096) throw new Error('CloudFormation: response object is too long');
  return { status, reason, physicalId: event.PhysicalResourceId ?? CREATE_FAILED, data };
}

/** CloudFormation hands all values over as strings. */
function stringified<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' || typeof item === 'boolean' ? `${item}` : item))) as T;
}

function jsonCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
