import { VerifyRequest } from './clean-checkout';
import { CommitRequest } from './commit';
import { STEPS } from './constants';
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

/** Does what the loop has for the people who operate it, around each step. */
export interface Operator {
  /** Throws a `LoopError` if the step must not begin. Returns limits for the step, and what keeps its outputs. */
  before(request: LoopRequest): Promise<Pick<StepTools, 'turnSeconds' | 'keep' | 'keepReports'>>;
  /** Returns the error that stands for that of the step, if it is another one. */
  failed(request: LoopRequest, error: Error): Promise<Error | undefined>;
  /** Keeps and tells what the step has brought. Returns the result, of which a record names what is kept. It never fails. */
  after(request: LoopRequest, result: object): Promise<object>;
}
