import { INTERRUPTED } from './results';
import type { RunDescription } from './run-description';
import { isGood } from './run-words';
import { AGENT_ERRORS } from '../agent/constants';
import { ERRORS } from '../jobs/constants';
import { FORGE_ERRORS, LOOP_ERRORS } from '../loop/steps/constants';

/** The exit codes of commands that follow a run. */
export const EXIT = { COMMITTED: 0, RED: 1, MISUSE: 2, INFRASTRUCTURE: 3, INTERRUPTED: 130 } as const;

/** Errors that the agent, the gates or the repository cause; all others are infrastructure. */
const RED_ERRORS: readonly string[] = [
  LOOP_ERRORS.RED, LOOP_ERRORS.STUCK, LOOP_ERRORS.INERT, LOOP_ERRORS.TURN_FAILED, LOOP_ERRORS.BOOTSTRAP_FAILED, LOOP_ERRORS.SNAPSHOT_FAILED,
  LOOP_ERRORS.BASE_RED, LOOP_ERRORS.PUSH_REJECTED, LOOP_ERRORS.PROTECTED_PATHS, LOOP_ERRORS.TIMED_OUT,
  LOOP_ERRORS.OVER_BUDGET, FORGE_ERRORS.RULE_VIOLATION, ERRORS.AGENT,
  ERRORS.INVOKE_TIMEOUT, AGENT_ERRORS.FAILED, AGENT_ERRORS.CONTEXT_FULL, AGENT_ERRORS.MAX_TURNS, AGENT_ERRORS.REFUSED,
];
const MISUSE_ERRORS: readonly string[] = [
  LOOP_ERRORS.BAD_INPUT, LOOP_ERRORS.BRANCH_CONFLICT, LOOP_ERRORS.SESSION_BUSY, LOOP_ERRORS.CHECKOUT_FAILED,
  AGENT_ERRORS.NOT_LOGGED_IN, AGENT_ERRORS.MODEL_NOT_ALLOWED,
];

type Ending = Pick<RunDescription, 'outcome' | 'error' | 'agentStart' | 'missingPermissions' | 'withheld'>;

/** Returns the exit code for the end of a run. */
export function exitCodeOf(record: Ending): number {
  const { outcome, error, agentStart, missingPermissions = [], withheld } = record;
  // Even if the loop got around it: what it could not do is not done.
  if (missingPermissions.length > 0) return EXIT.INFRASTRUCTURE;
  if (outcome === INTERRUPTED) return EXIT.INTERRUPTED;
  if (isGood({ outcome, error })) return EXIT.COMMITTED;
  const { name = '' } = error ?? {};
  if (agentStart !== undefined || withheld !== undefined || RED_ERRORS.includes(name)) return EXIT.RED;
  return MISUSE_ERRORS.includes(name) ? EXIT.MISUSE : EXIT.INFRASTRUCTURE;
}
