import { Token } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentTurn } from './agent-turn';
import { Baseline, CodingLoopProps } from './coding-loop-props';
import { LOOP_LIMITS } from './steps/constants';
import { Verification } from './verification';
import { RUNNER } from '../agent/constants';
import { secondsOf } from '../private/validation';
import { artifactsOfAgents } from '../runtime/agents-of-artifacts';
import { sessionSecondsOf } from '../tasks/session-task';

/** Timeouts of a loop and of its parts, in seconds, as far as they are known at synth. */
export interface LoopPlan {
  readonly turn: number;
  readonly bootstrap: number;
  readonly gates: ReadonlyArray<{ readonly name: string; readonly seconds: number }>;
  /** The whole run. */
  readonly run: number;
  /** The time that a run may wait for others; 0 if it does not wait. */
  readonly queue: number;
  /** The maximum lifetime of a session of the runtime. */
  readonly session: number;
}

/** The maximum timeout of a run: 30 days. */
export const LONGEST_RUN = 30 * 86_400;

/** The maximum time that a run waits for others: 1 day. Each look, every 30 seconds, is 3 of the 25,000 events that the history of a run may have. */
export const LONGEST_QUEUE = 86_400;

/** Determines whether a loop runs its gates on the base. */
export function checksBase({ checkBase, baseline = Baseline.NONE }: Pick<CodingLoopProps, 'checkBase' | 'baseline'>): boolean {
  return checkBase === true || baseline !== Baseline.NONE;
}

/** Returns the turn of a loop. The program of an image that has only the library's server runs as a command, at whose end its report is read. */
export function turnOf({ turn, runtime }: Pick<CodingLoopProps, 'turn' | 'runtime'>): AgentTurn {
  const isProgram = runtime instanceof Runtime && artifactsOfAgents.has(runtime.agentRuntimeArtifact);
  return turn ?? (isProgram ? AgentTurn._ofAgent(`${RUNNER.command} turn`, {}) : AgentTurn.invoke());
}

/** Works out the timeouts of a loop. Unless it has a timeout of its own, a run may take as long as its parts together. */
export function planOf(props: CodingLoopProps): LoopPlan {
  const { maxRepairs = 3, gatesBefore, runtime } = props;
  const verification = props.verification ?? Verification.inFreshSession();
  const turn = turnOf(props)._timeoutSeconds;
  const bootstrap = secondsOf(props.bootstrapTimeout, LOOP_LIMITS.oneCallSeconds);
  // Plain JavaScript may leave the gates out.
  const gates = ((props.gates as CodingLoopProps['gates'] | undefined) ?? [])
    .map(({ name, _timeoutSeconds: seconds, _retries: retries }) => ({ name, seconds, retries }));
  // git works after the turn and after each gate.
  const judging = LOOP_LIMITS.gitSeconds + gates.reduce((sum, { seconds }) => sum + seconds + LOOP_LIMITS.gitSeconds, 0);
  const retrying = gates.reduce((sum, { seconds, retries }) => sum + retries * (seconds + LOOP_LIMITS.gitSeconds), 0);
  const verifying = verification._verifies ? 2 * LOOP_LIMITS.gitSeconds + bootstrap + judging + retrying : 0;
  const rounds = 1 + (Token.isUnresolved(maxRepairs) ? LOOP_LIMITS.repairs : maxRepairs);
  const before = bootstrap + (gatesBefore === true ? judging : 0) + (checksBase(props) ? verifying : 0);
  const together = before + rounds * (turn + judging + verifying) + 2 * LOOP_LIMITS.gitSeconds;
  const run = secondsOf(props.timeout, Math.min(together, LONGEST_RUN));
  return { turn, bootstrap, gates, run, queue: secondsOf(props.queueTimeout, 0), session: sessionSecondsOf(runtime) };
}
