import { stripVTControlCharacters } from 'node:util';
import type { StartFailure } from './start-failure';
import { maskSecrets } from '../../src/handler/mask';
import { AgentStart, describeAgentStart } from '../../src/journal/agent-start';
import { copyableWord } from '../../src/private/quote';

/** Lines of what an agent printed before it ended. */
const QUOTED_LINES = 14;

/** Describes the command that was run, and how it ended. */
export function agentStartOf(tries: readonly StartFailure[], mask: <T>(value: T) => T): AgentStart {
  const { agent, reason } = tries[tries.length - 1];
  return {
    reason: `${reason}${tries.length === 1 ? '' : `, in each of ${tries.length} tries`}`,
    command: maskSecrets(mask(agent.command.map(copyableWord).join(' '))),
    startedIn: agent.workingDirectory ?? '/',
  };
}

/** The same with the last lines that it printed, and where all of them are. */
export function describeStartFailures(tries: readonly StartFailure[], logFile: string, mask: <T>(value: T) => T = (value) => value): string {
  const lines = lastLines(maskSecrets(mask(tries[tries.length - 1].output)));
  return [
    ...describeAgentStart(agentStartOf(tries, mask)),
    ...lines.length === 0 ? ['  it printed nothing'] : ['  it printed', ...lines.map((line) => `  │ ${line}`), `  full log   ${logFile}`],
  ].join('\n');
}

/** Removes lines that a reader skips: empty lines and stack frames. */
function lastLines(output: string): string[] {
  return stripVTControlCharacters(output).split('\n').map((line) => line.trimEnd().slice(0, 160))
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line)).slice(-QUOTED_LINES);
}
