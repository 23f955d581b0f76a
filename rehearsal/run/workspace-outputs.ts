import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { endOfFile } from './end-of-file';
import { JOBS_FOLDER } from '../../src/jobs/constants';
import type { Outputs, RunSession } from '../../src/journal/outputs';
import { agentLines } from '../agentcore/session-log';

export interface WorkspaceOutputsProps {
  /** The path of the workspace in the session. */
  readonly mount: string;
  /** Returns the path on this machine of a file in the session's workspace. */
  readonly fileOf: (path: string, session: RunSession) => string | undefined;
  /** Returns everything that the session's agent and commands have logged. */
  readonly logOf: (session: RunSession) => string;
}

/** The outputs of a rehearsed run: files of its workspace, and its session's log. */
export class WorkspaceOutputs implements Outputs {
  constructor(private readonly props: WorkspaceOutputsProps) {}

  file(path: string, session: RunSession): string | undefined {
    const file = this.props.fileOf(path, session);
    try {
      return file === undefined ? undefined : readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  }

  tail(path: string, session: RunSession, bytes: number): string {
    const file = this.props.fileOf(path, session);
    return file === undefined ? '' : endOfFile(file, bytes);
  }

  newestJob(prefix: string, session: RunSession): string | undefined {
    const jobs = this.props.fileOf(`${this.props.mount}/${JOBS_FOLDER}`, session);
    try {
      const name = readdirSync(jobs!).filter((job) => job.startsWith(prefix)).map((job) => join(jobs!, job, 'log'))
        .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).pop();
      return readFileSync(name!, 'utf8');
    } catch {
      return undefined;
    }
  }

  /** Leaves out the texts of commands, which the service logs, too. */
  printed(session: RunSession, after: number): { readonly text: string; readonly end: number } {
    const log = this.props.logOf(session);
    return { text: agentLines(log.slice(after)).join('\n'), end: log.length };
  }
}
