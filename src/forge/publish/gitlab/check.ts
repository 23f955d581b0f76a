import { GitLabApi } from './api';
import { FORGE_ERRORS } from '../../../loop/steps/constants';
import { ForgeUse } from '../../../loop/steps/loop-config';
import { ForgeError } from '../smart-http';

/** The access level of the role Developer, the lowest that can push. Source: "Members API" in GitLab's documentation. */
const DEVELOPER = 30;

/** Throws if it is known that GitLab will refuse what a run is to do. */
export async function checkProject(api: GitLabApi, uses: readonly ForgeUse[]): Promise<void> {
  const project = await api.project().catch((error: unknown) => {
    if (!(error instanceof ForgeError)) throw error;
    if (error.name === FORGE_ERRORS.NOT_FOUND) {
      throw new ForgeError(error.name, 'there is no such project for the token: check the URL of the repository, and make the token in this project or in its group', error.quote);
    }
    if (/insufficient_scope/.test(error.quote)) throw new ForgeError(error.name, 'the token lacks a scope: make one with the scopes api and write_repository', error.quote);
    throw error;
  });
  const { path_with_namespace: name, archived, permissions = {} } = project;
  const forbidden = (summary: string) => new ForgeError(FORGE_ERRORS.FORBIDDEN, summary);
  if (archived === true) throw forbidden(`the project ${name} is archived: unarchive it, or use another one`);
  const levels = [permissions.project_access, permissions.group_access].flatMap((access) => access?.access_level ?? []);
  // GitLab does not name the levels of administrators, and of members of groups that the project is shared with.
  if (levels.length > 0 && Math.max(...levels) < DEVELOPER) {
    throw forbidden(`the user of the token cannot push to ${name}, with the access level ${Math.max(...levels)}: give the token the role Developer`);
  }
  if (uses.includes('pullRequest') && project.merge_requests_access_level === 'disabled') {
    throw forbidden(`the project ${name} has no merge requests: enable them in its settings, or use Commit.push()`);
  }
}
