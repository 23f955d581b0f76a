import type { RunDescription } from '../../src/journal/run-description';
import type { StoryPlace } from '../../src/journal/story';
import { copyableWord } from '../../src/private/quote';

/** The place of a run in an account: its commit is at the remote, and its output in a bucket or a log group. */
export class InAccount implements StoryPlace {
  readonly logs = 'runs logs';
  readonly logsOfSession = false;

  /** @param again the options that find the loop again */
  constructor(private readonly again: string) {}

  explain({ id, error }: RunDescription): string[] {
    return error === undefined ? [] : [`"runs logs ${id}${this.again}" prints what the commands printed`];
  }

  take({ output, repository }: RunDescription, branch: string): string[] {
    const { url, number } = output?.pullRequest ?? {};
    const pullRequest = url === undefined ? [] : [`see        ${url}${number === undefined ? '' : ` (#${number})`}`];
    if (output?.commit?.pushed !== true || repository === undefined) return [...pullRequest, 'the commit is in the workspace of the session: the loop does not push'];
    return [...pullRequest, `fetch      git fetch ${copyableWord(repository.source)} ${copyableWord(branch)}`];
  }
}
