import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkspaceKey } from './workspaces';

const COMMAND = '[command] ';

/** The line with which the service logs a command, its text included. */
export function commandLine(command: object): string {
  return `${COMMAND}${JSON.stringify(command)}\n`;
}

/** The lines of a session's log that the agent printed. */
export function agentLines(log: string): string[] {
  return log.split('\n').filter((line) => !line.startsWith(COMMAND));
}

/** The lines that the service writes to a runtime's log group: the agent's output, and the text of each command. One file per session. */
export class SessionLog {
  constructor(private readonly directory: string) {}

  append(key: WorkspaceKey, text: string): void {
    const file = this.file(key);
    mkdirSync(join(file, '..'), { recursive: true });
    appendFileSync(file, text);
  }

  read(key: WorkspaceKey): string {
    const file = this.file(key);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Returns the path of a session's log, which may not exist. */
  file({ runtimeId, endpoint, sessionId }: WorkspaceKey): string {
    return join(this.directory, `${runtimeId}-${endpoint}`, `${createHash('sha256').update(sessionId).digest('hex').slice(0, 32)}.log`);
  }
}
