import { Token } from 'aws-cdk-lib';
import { AgentTurn } from './agent-turn';
import { CodingLoopProps } from './coding-loop-props';
import { LOOP_LIMITS } from './steps/constants';
import { Verification } from './verification';
import { secondsOf } from '../private/validation';
import { sessionSecondsOf } from '../tasks/session-task';

/** Timeouts of a loop and of its parts, in seconds, as far as they are known at synth. */
export interface LoopPlan {
  readonly turn: number;
  readonly bootstrap: number;
  readonly gates: ReadonlyArray<{ readonly name: string; readonly seconds: number }>;
  /** The whole run. */
  readonly run: number;
  /** The maximum lifetime of a session of the runtime. */
  readonly session: number;
}

/** The maximum timeout of a run: 30 days. */
export const LONGEST_RUN = 30 * 86_400;

/** Works out the timeouts of a loop. Unless it has a timeout of its own, a run may take as long as its parts together. */
export function planOf(props: CodingLoopProps): LoopPlan {
  const { maxRepairs = 3, gatesBefore, runtime } = props;
  const turn = (props.turn ?? AgentTurn.invoke())._timeoutSeconds;
  const bootstrap = secondsOf(props.bootstrapTimeout, LOOP_LIMITS.oneCallSeconds);
  // Plain JavaScript may leave the gates out.
  const gates = ((props.gates as CodingLoopProps['gates'] | undefined) ?? []).map(({ name, _timeoutSeconds: seconds }) => ({ name, seconds }));
  // git works after the turn and after each gate.
  const judging = LOOP_LIMITS.gitSeconds + gates.reduce((sum, { seconds }) => sum + seconds + LOOP_LIMITS.gitSeconds, 0);
  const verifying = (props.verification ?? Verification.inFreshSession())._verifies ? 2 * LOOP_LIMITS.gitSeconds + bootstrap + judging : 0;
  const rounds = 1 + (Token.isUnresolved(maxRepairs) ? LOOP_LIMITS.repairs : maxRepairs);
  const together = bootstrap + (gatesBefore === true ? judging : 0) + rounds * (turn + judging + verifying) + 2 * LOOP_LIMITS.gitSeconds;
  return { turn, bootstrap, gates, run: secondsOf(props.timeout, Math.min(together, LONGEST_RUN)), session: sessionSecondsOf(runtime) };
}
