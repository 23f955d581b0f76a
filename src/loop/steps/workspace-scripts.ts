import { WorkspaceFunction } from './results';
import { AWAY_PART } from './workspace-away-script.generated';
import { BASE_PART } from './workspace-base-script.generated';
import { FILES_PART } from './workspace-files-script.generated';
import { MERGE_PART } from './workspace-merge-script.generated';
import { MOVE_PART } from './workspace-move-script.generated';
import { PREPARE_PART } from './workspace-prepare-script.generated';
import { REMOTE_PART } from './workspace-remote-script.generated';
import { TREE_PART } from './workspace-tree-script.generated';

/** How a run comes to its workspace. All parts together would be too long for a command. */
export const PREPARE_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${PREPARE_PART}`;

/** How a run comes from the branch of another task to its own, or to what its base has got at the remote. */
export const MOVE_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${MERGE_PART}\n${MOVE_PART}`;

/** What a run does with the files of its workspace. */
export const WORKSPACE_SCRIPT = `${BASE_PART}\n${FILES_PART}\n${TREE_PART}`;

/** What a run does with its commit, and with what others have at the remote. */
export const REMOTE_SCRIPT = `${BASE_PART}\n${MERGE_PART}\n${REMOTE_PART}`;

/** What a run does to find work that is not in the files. */
export const AWAY_SCRIPT = `${BASE_PART}\n${AWAY_PART}`;

const SCRIPTS: { readonly [F in WorkspaceFunction]: string } = {
  prepare: PREPARE_SCRIPT,
  claim: PREPARE_SCRIPT,
  move: MOVE_SCRIPT,
  bootstrapped: WORKSPACE_SCRIPT,
  snapshot: WORKSPACE_SCRIPT,
  verify: WORKSPACE_SCRIPT,
  release: WORKSPACE_SCRIPT,
  surroundings: REMOTE_SCRIPT,
  adopt: REMOTE_SCRIPT,
  away: AWAY_SCRIPT,
  pins: REMOTE_SCRIPT,
  commit: REMOTE_SCRIPT,
  rebase: REMOTE_SCRIPT,
};

/** The command that performs a function. */
export function scriptOf(name: WorkspaceFunction): string {
  return `${SCRIPTS[name]}\nperform ${name}`;
}
