import { Token } from 'aws-cdk-lib';
import { CodingLoopProps } from './coding-loop-props';
import { PROTECTED_ACTIONS } from './steps/constants';
import { AGENT_LIMITS } from '../agent/constants';

/** The characters of one command in the instructions: they name the checks, and a session can run a script of the repository by its name. */
const COMMAND = 300;

/**
 * Returns what an agent is told about the loop that it works in: which checks judge its change, which files are not its own, and how the clone was
 * prepared. At most 4,000 characters, so that it fits the system prompt of a program and the environment of a job.
 */
export function loopInstructions({ gates, bootstrap = [], protectedPaths }: Pick<CodingLoopProps, 'gates' | 'bootstrap' | 'protectedPaths'>): string {
  const { paths, onChange } = protectedPaths?._config() ?? { paths: [], onChange: undefined };
  const parts = [
    [
      'You work unattended in a clone of the repository, which is the current directory. Nobody can answer questions: decide, and say what you decided.',
      'Do not commit, push, or create branches. When you are done, the files of the clone are recorded, checked, and committed for you.',
      'End with a short summary of what you changed and why.',
    ],
    ['These checks then judge your change, and all of them must pass. Run them before you end:', ...gates.map((gate) => `- ${gate.name}${commandOf(gate._config())}`)],
    bootstrap.length === 0 ? [] : ['The clone has been prepared by:', ...bootstrap.map((command) => `- ${shown(command)}`)],
    paths.length === 0 ? [] : [
      onChange === PROTECTED_ACTIONS.REVIEW
        ? 'These files judge changes. Change them only if the task asks for it, since people review such changes (pathspecs of git):'
        : 'Do not change, add or remove these files, which judge your change (pathspecs of git):',
      ...paths.map((path) => `- ${shown(path)}`),
    ],
  ];
  return bounded(parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')));
}

function commandOf(config: { readonly command?: unknown; readonly workingDirectory?: string }): string {
  if (typeof config.command !== 'string') return '';
  const { workingDirectory: directory } = config;
  return `${directory === undefined || Token.isUnresolved(directory) ? '' : ` (in ${directory})`}: ${shown(config.command)}`;
}

/** Returns a text as one bounded line. A token is not a text yet, and part of one would be nothing. */
function shown(text: string): string {
  if (Token.isUnresolved(text)) return '(set at deployment)';
  const line = text.trim().replace(/\s*\n\s*/g, '; ');
  return line.length > COMMAND ? `${line.slice(0, COMMAND)}…` : line;
}

/** Joins paragraphs, and shortens the longest first: a list of many gates must not hide the files that are protected. */
function bounded(parts: readonly string[]): string {
  const limit = AGENT_LIMITS.loopInstructions - 2 * (parts.length - 1);
  const lengths = parts.map(({ length }) => length);
  let share = limit;
  const total = (most: number) => lengths.reduce((sum, length) => sum + Math.min(length, most), 0);
  while (total(share) > limit) share--;
  return parts.map((part) => (part.length > share ? `${part.slice(0, share - 1)}…` : part)).join('\n\n');
}
