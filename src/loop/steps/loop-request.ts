import { VerifyRequest } from './clean-checkout';
import { CommitRequest } from './commit';
import { STEPS } from './constants';
import { LoopErrorName } from './errors';
import { GateRequest } from './gate';
import { BootstrapRequest, PrepareRequest } from './prepare';
import { SnapshotRequest } from './snapshot';
import { StepTools } from './step';
import { CleanUpRequest, StopRequest } from './stop';
import { TurnRequest } from './turn';

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

/** The reason why a step must not begin; missing if it may. Data, since the part that refuses has no error class of the driver's. */
export interface Refusal {
  readonly refusal?: { readonly name: LoopErrorName; readonly message: string };
}

/** Does what the loop has for the people who operate it, around each step. */
export interface Operator {
  /** Returns why the step must not begin, or limits for it. */
  admit(request: LoopRequest): Promise<Refusal & Pick<StepTools, 'turnSeconds' | 'turnLimit'>>;
  /** Returns what keeps the outputs of the step. */
  before(request: LoopRequest): Promise<Pick<StepTools, 'keep' | 'keepReports'>>;
  /** Returns the error that stands for that of the step, if it is another one. */
  failed(request: LoopRequest, error: Error): Promise<Error | undefined>;
  /** Keeps and tells what the step has brought. Returns the result, of which a record names what is kept. It never fails. */
  after(request: LoopRequest, result: object): Promise<object>;
}
