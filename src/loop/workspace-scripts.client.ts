import { WorkspaceFunction } from './results.client';
import { BASE_PART } from './workspace-base-script.generated';
import { FILES_PART } from './workspace-files-script.generated';
import { REMOTE_PART } from './workspace-remote-script.generated';

/** What a run does with the files of its workspace. All parts together would be too long for a command. */
export const WORKSPACE_SCRIPT = `${BASE_PART}\n${FILES_PART}`;

/** What a run does with its commit, and with what others have at the remote. */
export const REMOTE_SCRIPT = `${BASE_PART}\n${REMOTE_PART}`;

const WITH_REMOTE: readonly WorkspaceFunction[] = ['surroundings', 'adopt', 'pins', 'commit', 'rebase'];

/** The command that performs a function. */
export function scriptOf(name: WorkspaceFunction): string {
  return `${WITH_REMOTE.includes(name) ? REMOTE_SCRIPT : WORKSPACE_SCRIPT}\nperform ${name}`;
}
