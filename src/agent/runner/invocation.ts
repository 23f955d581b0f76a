import { isAbsolute } from 'node:path';
import { RUNNER_LIMITS } from './limits';

/** The payload of an invocation: the one of the loop. */
export interface Invocation {
  readonly prompt: string;
  readonly taskId?: string;
  readonly round?: number;
  /** The path of the clone. @default - the current directory of the server */
  readonly workspace?: string;
  readonly instructions?: string;
}

/** An invocation that is refused, with the HTTP status. The message says what to change. */
export class InvocationError extends Error {
  constructor(public readonly status: number, message: string) {
    super(message);
    this.name = 'InvocationError';
  }
}

const EXAMPLE = '{"prompt": "Fix the tests", "taskId": "task-1", "round": 0, "workspace": "/mnt/workspace/repo"}';

/** Returns the invocation in a body. Fields that it does not know are ignored, such as `feedback`, which is part of the prompt. */
export function parseInvocation(body: Buffer): Invocation {
  const value = parsed(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvocationError(400, `the body must be a JSON object such as ${EXAMPLE}`);
  // Clients of some languages write null for what is left out.
  const fields: { readonly [name: string]: unknown } = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
  const { prompt, taskId, round, workspace, instructions } = fields;
  const faults = [
    ...(isText(prompt) ? [] : ['"prompt" must be text that is not empty: what the agent should do']),
    ...(taskId === undefined || isText(taskId) ? [] : ['"taskId" must be text that is not empty, or left out']),
    ...(round === undefined || (Number.isSafeInteger(round) && (round as number) >= 0) ? [] : ['"round" must be a whole number from 0, or left out']),
    ...(workspace === undefined || (isText(workspace) && isAbsolute(workspace as string) && !(workspace as string).includes('\0')) ? [] : ['"workspace" must be the absolute path of the clone, or left out']),
    ...(instructions === undefined || isArgument(instructions) ? [] : [`"instructions" must be text of at most ${RUNNER_LIMITS.instructionsBytes} bytes without NUL, or left out`]),
  ];
  if (faults.length > 0) throw new InvocationError(400, `${faults.join('; ')}. An example: ${EXAMPLE}`);
  const bytes = Buffer.byteLength(prompt as string);
  if (bytes > RUNNER_LIMITS.promptBytes) throw new InvocationError(413, `"prompt" has ${bytes} bytes: shorten it to ${RUNNER_LIMITS.promptBytes}`);
  return fields as unknown as Invocation;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new InvocationError(400, `the body must be JSON (${(error as Error).message}), such as ${EXAMPLE}`);
  }
}

/** Determines whether a text can be an argument of a program, which is bounded, and ends at NUL. */
function isArgument(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && Buffer.byteLength(value) <= RUNNER_LIMITS.instructionsBytes;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}
