import type { ListedSession } from './listing';
import { OnlyInWorkspace } from './records';
import { runStepJob, StepRequest, StepTools } from './step';
import { BASE_PART } from './workspace-parts.generated';

/**
 * Names what the agent's workspace has, and the clean checkout of a verification lacks. Helps the agent, and decides nothing: whatever goes wrong,
 * there are no names.
 *
 * @param clean the session of the verification, where nothing of this runs as root if commands have a user of their own
 * @param isBootstrapped determines whether the bootstrap has passed there
 */
export async function onlyInWorkspace(
  request: StepRequest, clean: ListedSession, tools: StepTools, attempt: number, isBootstrapped: boolean,
): Promise<OnlyInWorkspace | undefined> {
  try {
    // A file of its own, which only a red verification loads.
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only after a red check; Jest cannot import() without ".ts"
    const { differences } = require('./listing') as typeof import('./listing');
    return await differences({ request, job: {} }, clean, isBootstrapped, BASE_PART, (session, listing, onOutput) =>
      runStepJob(session.request, { ...tools, onOutput }, { ...session.job, ...listing, name: `differs ${attempt}` }));
  } catch {
    return undefined;
  }
}
