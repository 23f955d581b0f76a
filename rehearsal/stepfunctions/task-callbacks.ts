import { TaskTimedOut, TaskTokens } from './task-tokens';

/** A request to Step Functions, as its clients send it. */
export interface CallbackRequest {
  /** The service and the operation, as the header `x-amz-target` names them. */
  readonly target: string;
  readonly body: Buffer;
}

export interface CallbackReply {
  readonly status: number;
  readonly body: unknown;
}

interface Parameters {
  readonly taskToken?: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

const OPERATIONS: Readonly<Record<string, (tokens: TaskTokens, token: string, parameters: Parameters) => void>> = {
  SendTaskSuccess: (tokens, token, { output = '' }) => tokens.sendTaskSuccess(token, output),
  SendTaskFailure: (tokens, token, { error, cause }) => tokens.sendTaskFailure(token, error, cause),
  SendTaskHeartbeat: (tokens, token) => tokens.sendTaskHeartbeat(token),
};

/**
 * Answers the callbacks of tasks in the wire format of Step Functions.
 *
 * @param refusal returns why the caller is not allowed to do it to that state machine
 * @returns `undefined` for any other request
 */
export function answerCallback(
  tokens: TaskTokens, { target, body }: CallbackRequest, refusal: (action: string, stateMachineArn: string) => string | undefined,
): CallbackReply | undefined {
  const [, operation] = /^AWSStepFunctions\.(\w+)$/.exec(target) ?? [];
  if (operation === undefined || !(operation in OPERATIONS)) return undefined;
  try {
    const parameters = JSON.parse(body.toString('utf8')) as Parameters;
    const { taskToken } = parameters;
    if (taskToken === undefined) return failure('ValidationException', 'taskToken is required');
    const stateMachineArn = tokens.stateMachineOf(taskToken);
    const refused = stateMachineArn && refusal(`states:${operation}`, stateMachineArn);
    if (refused) return failure('AccessDeniedException', refused);
    OPERATIONS[operation](tokens, taskToken, parameters);
    return { status: 200, body: {} };
  } catch (error) {
    if (error instanceof TaskTimedOut) return failure(error.name, error.message);
    if (error instanceof SyntaxError) return failure('InvalidOutput', `Invalid Output: '${error.message}'`);
    throw error;
  }
}

function failure(type: string, message: string): CallbackReply {
  return { status: 400, body: { __type: type, message } };
}
