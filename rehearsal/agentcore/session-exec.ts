import type { Sandbox } from '../sandbox';
import type { AgentSession } from './agent';

/** Runs commands in a sandbox and collects what they print. */
export function collect(sandbox: Sandbox): AgentSession['exec'] {
  return async (command, options = {}) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const { exitCode } = await sandbox.exec({
      command: typeof command === 'string' ? ['bash', '-c', command] : command,
      workingDirectory: options.workingDirectory,
      environment: options.environment,
      onStdout: chunk => void stdout.push(chunk),
      onStderr: chunk => void stderr.push(chunk),
    });
    return { exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  };
}
