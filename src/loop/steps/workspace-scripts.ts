import { WorkspaceFunction } from './results';
import {
  AWAY_PART, BASE_PART, FILES_PART, HISTORY_PART, MERGE_PART, MOVE_PART, PREPARE_PART, PROTECT_PART, REMOTE_PART, TREE_PART, VERIFY_PART,
} from './workspace-parts.generated';

/** Takes the workspace for a run. All parts together would be too long for one command. */
export const PREPARE_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${PREPARE_PART}`;

/** Moves the workspace from the branch of another task to that of the run, or updates it from the remote. */
export const MOVE_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${MERGE_PART}\n${MOVE_PART}`;

/** Records the files of the workspace, and compares them with the record. */
export const WORKSPACE_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${PROTECT_PART}\n${TREE_PART}`;

/** Makes and pushes the commit, and handles what others pushed. */
export const REMOTE_SCRIPT = `${BASE_PART}\n${MERGE_PART}\n${REMOTE_PART}\n${HISTORY_PART}`;

/** Finds work that is not in the files. */
export const AWAY_SCRIPT = `${BASE_PART}\n${AWAY_PART}`;

/** Takes a workspace on ephemeral disk for a verification. */
export const FRESH_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${PREPARE_PART}\n${VERIFY_PART}`;

/** Carries the recorded tree from the agent's session into that of a verification. */
export const CARRY_SCRIPT = `${BASE_PART}\n${PROTECT_PART}\n${HISTORY_PART}\n${VERIFY_PART}`;

/** Makes a merge of the base again in the session of a verification. */
export const REMAKE_SCRIPT = `${BASE_PART}\n${MERGE_PART}\n${VERIFY_PART}`;

const SCRIPTS: { readonly [F in WorkspaceFunction]: string } = {
  offer: BASE_PART,
  prepare: PREPARE_SCRIPT,
  claim: PREPARE_SCRIPT,
  move: MOVE_SCRIPT,
  bootstrapped: WORKSPACE_SCRIPT,
  snapshot: WORKSPACE_SCRIPT,
  verify: WORKSPACE_SCRIPT,
  release: WORKSPACE_SCRIPT,
  fresh: FRESH_SCRIPT,
  made: CARRY_SCRIPT,
  remake: REMAKE_SCRIPT,
  pack: CARRY_SCRIPT,
  receive: CARRY_SCRIPT,
  surroundings: REMOTE_SCRIPT,
  adopt: REMOTE_SCRIPT,
  away: AWAY_SCRIPT,
  pins: REMOTE_SCRIPT,
  commit: REMOTE_SCRIPT,
  rebase: REMOTE_SCRIPT,
};

/** Returns the command that performs a function. @param more a part that comes last */
export function scriptOf(name: WorkspaceFunction, more = ''): string {
  return `${SCRIPTS[name]}\n${more}\nperform ${name}`;
}
