import type { Instruction } from 'dockerfile-ast';
import { type BuildArgs, type ParsedDockerfile, type Stage, instructionsUpTo, substitute, variablesAt } from './dockerfile';

/** The user at some place of a Dockerfile. */
export interface DockerfileUser {
  /** What the file says, with its variables resolved. */
  readonly text: string;
  /** As a number, with the group's where the file names one that is not the user's own; `undefined` if it cannot be told. */
  readonly number?: string;
}

/** Users that well-known images bring. A wrong guess is found by the build, which compares the number with the name. */
const WELL_KNOWN: ReadonlyMap<string, string> = new Map([
  ['root', '0'], ['node', '1000'], ['bun', '1000'], ['ubuntu', '1000'], ['nobody', '65534'], ['nonroot', '65532'],
]);

/**
 * The user that the Dockerfile has at the end of a stage, or before one of its instructions.
 *
 * `undefined` if neither the stage nor those it builds on say one: it is then the base image's, which only the build knows.
 */
export function userAt(parsed: ParsedDockerfile, stage: Stage, buildArgs: BuildArgs, end?: Instruction): DockerfileUser | undefined {
  const before = instructionsUpTo(stage, end);
  const index = before.map((instruction) => instruction.getKeyword()).lastIndexOf('USER');
  if (index < 0) return undefined;
  const owner = stageWith(stage, before[index]);
  const variables = variablesAt(owner, parsed.globals, buildArgs, before[index]);
  const text = substitute(before[index].getArgumentsContent() ?? '', variables).replace(/^(["'])(.*)\1$/, '$2').trim();
  const commands = before.slice(0, index).filter((instruction) => instruction.getKeyword() === 'RUN')
    .flatMap((run) => commandsOf(substitute(run.getArgumentsContent() ?? '', variables)));
  return { text, number: numberOf(text, commands) };
}

function stageWith(stage: Stage, instruction: Instruction): Stage {
  return stage.instructions.includes(instruction) || !stage.parent ? stage : stageWith(stage.parent, instruction);
}

/** Splits a RUN into its commands and their words. Rough on purpose: only the numbers of new users and groups are looked for. */
function commandsOf(script: string): string[][] {
  return script.split(/&&|\|\||[;\n|]/).map((command) => command.trim().split(/\s+/).map((word) => word.replace(/["'\\]/g, '')));
}

/** The number that a command such as `useradd --uid 1000 app` gives to a name. */
function numberGivenBy(commands: readonly string[][], programs: readonly string[], flags: readonly string[], name: string): string | undefined {
  for (const words of commands) {
    if (!words.some((word) => programs.includes(word.replace(/^.*\//, ''))) || !words.includes(name)) continue;
    const given = words.flatMap((word, index) => {
      const [, flag, joined] = /^(-{1,2}[a-z]+)(?:=(\d+))?$/.exec(word) ?? [];
      return flag !== undefined && flags.includes(flag) ? [joined ?? words[index + 1]] : [];
    });
    if (given.length > 0 && /^\d+$/.test(given[0] ?? '')) return given[0];
  }
  return undefined;
}

function numberOf(text: string, commands: readonly string[][]): string | undefined {
  const [user, group, ...more] = text.split(':');
  if (more.length > 0) return undefined;
  const uid = /^\d+$/.test(user) ? user
    : numberGivenBy(commands, ['useradd', 'adduser'], ['-u', '--uid'], user) ?? WELL_KNOWN.get(user);
  if (uid === undefined || group === undefined) return uid;
  if (/^\d+$/.test(group)) return `${uid}:${group}`;
  const gid = numberGivenBy(commands, ['groupadd', 'addgroup'], ['-g', '--gid'], group) ?? (group === 'root' ? '0' : undefined);
  if (gid !== undefined) return `${uid}:${gid}`;
  // A group of the user's own name is most likely the one that passwd has for it; the build looks.
  return group === user ? uid : undefined;
}
