import { AsyncLocalStorage } from 'async_hooks';
import { dirname, join } from 'path';
import { RolloutEvent, RolloutProperties } from '../../src/rollout/handler/rollout-request';

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

type Step = (event: object) => Promise<void>;

/** The provider framework of the CDK itself, as its functions run it, and the calls to AWS that it makes. */
const RUNTIME = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');
const framework = jest.requireActual<{ onEvent: Step; isComplete: Step; onTimeout: Step }>(join(RUNTIME, 'framework.js'));
const outbound = jest.requireActual<{
  invokeFunction: (request: { readonly FunctionName: keyof Handlers; readonly Payload: string }) => Promise<object>;
  startExecution: (request: { readonly input: string }) => Promise<void>;
  httpRequest: (options: object, body: string) => Promise<void>;
}>(join(RUNTIME, 'outbound.js'));
// It logs whatever it gets. In its functions that is turned off: see `rollout-provider.ts`.
jest.requireActual<{ log: () => void }>(join(RUNTIME, 'util.js')).log = () => {};

/** Of its waiter: an hour, every ten seconds. */
const QUESTIONS = 360;

let requests = 0;

/** Whose call to AWS it is: a request that was cancelled goes on beside the next. */
const current = new AsyncLocalStorage<ProviderFramework>();
outbound.invokeFunction = ({ FunctionName, Payload }) => current.getStore()!.invoke(FunctionName, Payload);
outbound.startExecution = async ({ input }) => { current.getStore()!.waiting = JSON.parse(input) as object; };
outbound.httpRequest = async (_, body) => { current.getStore()!.answer = body; };

/**
 * CloudFormation's side of a custom resource, Lambda and the waiter around the provider framework of the CDK: asks `onEvent` once and
 * `isComplete` until it is.
 */
export class ProviderFramework {
  public answer?: string;
  public waiting?: object;

  constructor(
    private readonly handlers: Handlers,
    /** Lets the ten seconds between two questions pass. */
    private readonly pause: () => Promise<void>,
    /** When a function died: whether its invocation could not be made out, so that the SDK makes it again, or is known to have failed. */
    private readonly onDeath: 'again' | 'fail' = 'again',
  ) {}

  public async request(type: RolloutEvent['RequestType'], properties: RolloutProperties, physicalId?: string): Promise<Response> {
    return current.run(this, () => this.handle(type, properties, physicalId));
  }

  /** What Lambda does with a function: an error is a result as well. */
  public async invoke(name: keyof Handlers, payload: string): Promise<object> {
    for (let deaths = 0; ; deaths++) {
      try {
        return { Payload: JSON.stringify(await this.handlers[name](JSON.parse(payload) as RolloutEvent)) };
      } catch (error) {
        const { name: errorType, message: errorMessage, stack = '' } = error as Error;
        if (!(error instanceof LambdaDied)) {
          return { FunctionError: 'Unhandled', Payload: JSON.stringify({ errorType, errorMessage, trace: stack.split('\n') }) };
        }
        if (this.onDeath === 'fail' || deaths > 20) {
          return { FunctionError: 'Unhandled', Payload: JSON.stringify({ errorType: 'Runtime.ExitError', errorMessage }) };
        }
      }
    }
  }

  private async handle(type: RolloutEvent['RequestType'], properties: RolloutProperties, physicalId?: string): Promise<Response> {
    const event = {
      RequestType: type,
      RequestId: `11111111-2222-3333-4444-${`${++requests}`.padStart(12, '0')}`,
      StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/a-stack/51af3dc0-da77-11e4-872e-1234567db123',
      LogicalResourceId: 'RolloutResource12345678',
      PhysicalResourceId: physicalId,
      ResourceProperties: stringified(properties),
      ResponseURL: SECRET_URL,
    };
    this.answer = this.waiting = undefined;
    Object.assign(process.env, { USER_ON_EVENT_FUNCTION_ARN: 'onEvent', USER_IS_COMPLETE_FUNCTION_ARN: 'isComplete', WAITER_STATE_MACHINE_ARN: 'waiter' });

    await framework.onEvent(event);
    if (this.waiting !== undefined) await this.wait(this.waiting);
    return responseOf(this.answer!, physicalId);
  }

  /** The waiter's state machine: an error of the framework's function is retried until there were enough. */
  private async wait(event: object): Promise<void> {
    for (let questions = 1; ; questions++) {
      try {
        await framework.isComplete(structuredClone(event));
        return;
      } catch (error) {
        if (questions > QUESTIONS) {
          await framework.onTimeout({ Cause: JSON.stringify({ errorMessage: (error as Error).message }) });
          return;
        }
      }
      await this.pause();
    }
  }
}

/** As good as a password. */
export const SECRET_URL = 'https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn?X-Amz-Signature=0123456789abcdef';

function responseOf(body: string, physicalId: string | undefined): Response {
  if (Buffer.byteLength(body) > 4_096) throw new Error('CloudFormation: response object is too long');
  const { Status: status, Reason: reason, PhysicalResourceId, Data: data = {} } = JSON.parse(body);
  // CloudFormation would take it for a replacement, and delete what was there under the former one.
  if (physicalId !== undefined && PhysicalResourceId !== physicalId) throw new Error('the physical id has changed');
  return { status, reason: status === 'SUCCESS' ? '' : reason, physicalId: PhysicalResourceId, data };
}

/** What CloudFormation calls a resource that it has no answer about. */
export const MADE_UP_ID = 'a-stack-RolloutResource12345678-1A2B3C4D5E6F';

/** CloudFormation hands all values over as strings. */
function stringified<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' || typeof item === 'boolean' ? `${item}` : item))) as T;
}
