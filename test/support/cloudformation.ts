import { AsyncLocalStorage } from 'async_hooks';
import { dirname, join } from 'path';
import { RolloutEvent, RolloutProperties } from '../../src/rollout/handler/rollout-request';

/** The response that the framework finally sends to CloudFormation. */
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

/** A function that ended without a response. */
export class LambdaDied extends Error {}

type Step = (event: object) => Promise<void>;

/** The CDK's own provider framework, as its functions run it, and the AWS calls that it makes. */
const RUNTIME = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');
const framework = jest.requireActual<{ onEvent: Step; isComplete: Step; onTimeout: Step }>(join(RUNTIME, 'framework.js'));
const outbound = jest.requireActual<{
  invokeFunction: (request: { readonly FunctionName: keyof Handlers; readonly Payload: string }) => Promise<object>;
  startExecution: (request: { readonly input: string }) => Promise<void>;
  httpRequest: (options: object, body: string) => Promise<void>;
}>(join(RUNTIME, 'outbound.js'));
// The framework logs everything that it receives. In its deployed functions logging is off: see `rollout-provider.ts`.
jest.requireActual<{ log: () => void }>(join(RUNTIME, 'util.js')).log = () => {};

/** The waiter asks every ten seconds for an hour. */
const QUESTIONS = 360;

let requests = 0;

/** The framework that made the current call to AWS: a cancelled request keeps running next to the following one. */
const current = new AsyncLocalStorage<ProviderFramework>();
outbound.invokeFunction = ({ FunctionName, Payload }) => current.getStore()!.invoke(FunctionName, Payload);
outbound.startExecution = async ({ input }) => { current.getStore()!.waiting = JSON.parse(input) as object; };
outbound.httpRequest = async (_, body) => { current.getStore()!.answer = body; };

/**
 * Plays the part of CloudFormation, of Lambda and of the waiter around the CDK's provider framework: calls `onEvent` once, then
 * `isComplete` until it reports completion.
 */
export class ProviderFramework {
  public answer?: string;
  public waiting?: object;

  constructor(
    private readonly handlers: Handlers,
    /** Lets the ten seconds between two questions pass. */
    private readonly pause: () => Promise<void>,
    /** When a function dies: `again` if the outcome is unknown, so that the SDK repeats the invocation; `fail` if it is known to have failed. */
    private readonly onDeath: 'again' | 'fail' = 'again',
  ) {}

  public async request(type: RolloutEvent['RequestType'], properties: RolloutProperties, physicalId?: string): Promise<Response> {
    return current.run(this, () => this.handle(type, properties, physicalId));
  }

  /** Invokes a handler as Lambda does: an error is a result, too. */
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

  /** The waiter's state machine: retries an error of the framework's function until the attempts are used up. */
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

/** A presigned URL is as good as a password. */
export const SECRET_URL = 'https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn?X-Amz-Signature=0123456789abcdef';

function responseOf(body: string, physicalId: string | undefined): Response {
  if (Buffer.byteLength(body) > 4_096) throw new Error('CloudFormation: response object is too long');
  const { Status: status, Reason: reason, PhysicalResourceId, Data: data = {} } = JSON.parse(body);
  // CloudFormation would treat a new id as a replacement and delete the resource under the old one.
  if (physicalId !== undefined && PhysicalResourceId !== physicalId) throw new Error('the physical id has changed');
  return { status, reason: status === 'SUCCESS' ? '' : reason, physicalId: PhysicalResourceId, data };
}

/** The id that CloudFormation gives a resource for which it has no response. */
export const MADE_UP_ID = 'a-stack-RolloutResource12345678-1A2B3C4D5E6F';

/** CloudFormation passes all values as strings. */
function stringified<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' || typeof item === 'boolean' ? `${item}` : item))) as T;
}
