import { checkBase } from './check-base';
import { VerifyRequest } from './clean-checkout';
import { commit, CommitRequest } from './commit';
import { STEPS } from './constants';
import { gate, GateRequest } from './gate';
import { bootstrap, BootstrapRequest, prepareOrRefuse, PrepareRequest } from './prepare';
import { snapshot, SnapshotRequest } from './snapshot';
import { StepTools } from './step';
import { cleanUp, CleanUpRequest, stop, StopRequest } from './stop';
import { turn, TurnRequest } from './turn';
import { verify } from './verify';

/** A request of a loop's state machine to the driver. */
export type LoopRequest =
  | ({ readonly operation: typeof STEPS.PREPARE } & PrepareRequest)
  | ({ readonly operation: typeof STEPS.BOOTSTRAP } & BootstrapRequest)
  | ({ readonly operation: typeof STEPS.TURN } & TurnRequest)
  | ({ readonly operation: typeof STEPS.SNAPSHOT } & SnapshotRequest)
  | ({ readonly operation: typeof STEPS.GATE } & GateRequest)
  | ({ readonly operation: typeof STEPS.CHECK_BASE } & VerifyRequest)
  | ({ readonly operation: typeof STEPS.VERIFY } & VerifyRequest)
  | ({ readonly operation: typeof STEPS.COMMIT } & CommitRequest)
  | ({ readonly operation: typeof STEPS.STOP } & StopRequest)
  | ({ readonly operation: typeof STEPS.CLEAN_UP } & CleanUpRequest);

export function isLoopRequest(request: { readonly operation: string }): request is LoopRequest {
  return (Object.values(STEPS) as string[]).includes(request.operation);
}

/** Performs one step of a run, and keeps people informed. */
export async function performStep(request: LoopRequest, tools: StepTools & { readonly tell?: Tell }): Promise<object> {
  await tools.tell?.(request);
  const operator = operatorOf(request, tools);
  const limits = await operator?.before(request);
  const result = await perform(request, { ...tools, ...limits }).catch(async (error: Error) => {
    throw await operator?.failed(request, error) ?? error;
  });
  await operator?.after(request, result);
  await tools.tell?.(request, result);
  return result;
}

function operatorOf({ config }: LoopRequest, tools: StepTools): Operator | undefined {
  if (config.operate === undefined) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only for loops that somebody operates; Jest cannot import() without ".ts"
  const { operatorFor } = require('./operate') as typeof import('./operate');
  return operatorFor(config, config.operate, tools);
}

/** Does what the loop has for the people who operate it, around each step. */
export interface Operator {
  /** Throws a `LoopError` if the step must not begin. Returns limits for the step. */
  before(request: LoopRequest): Promise<Pick<StepTools, 'turnSeconds'>>;
  /** Returns the error that stands for that of the step, if it is another one. */
  failed(request: LoopRequest, error: Error): Promise<Error | undefined>;
  /** Keeps and tells what the step has brought. It never fails. */
  after(request: LoopRequest, result: object): Promise<void>;
}

/** Keeps people informed, before a step and, with its result, after it. */
export type Tell = (request: LoopRequest, result?: object) => Promise<void>;

async function perform(request: LoopRequest, tools: StepTools): Promise<object> {
  switch (request.operation) {
    case STEPS.PREPARE: return prepareOrRefuse(request, tools);
    case STEPS.BOOTSTRAP: return bootstrap(request, tools);
    case STEPS.TURN: return turn(request, tools);
    case STEPS.SNAPSHOT: return snapshot(request, tools);
    case STEPS.GATE: return gate(request, tools);
    case STEPS.CHECK_BASE: return checkBase(request, tools);
    case STEPS.VERIFY: return verify(request, tools);
    case STEPS.COMMIT: return commit(request, tools);
    case STEPS.STOP: return stop(request, tools);
    case STEPS.CLEAN_UP: return cleanUp(request, tools);
  }
}
