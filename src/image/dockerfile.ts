import type { Arg, Copy, Dockerfile, Env, From, Instruction, Property, Run } from 'dockerfile-ast';

/** One `FROM` and what follows it. */
export interface Stage {
  readonly from: From;
  /** The image or earlier stage that it builds on, with its variables resolved as far as they are known. */
  readonly base: string;
  readonly alias?: string;
  readonly platform?: string;
  readonly instructions: Instruction[];
  /** The stage it builds on, where that is one of the same file. */
  readonly parent?: Stage;
}

export type Variables = ReadonlyMap<string, string>;

export interface BuildArgs { readonly [name: string]: string }

export interface ParsedDockerfile {
  readonly stages: readonly Stage[];
  /** The arguments before the first `FROM`; a stage sees one only if it declares it again. */
  readonly globals: Variables;
  /** The faults of the text, one line each. If there are any, ignore the stages. */
  readonly faults: readonly string[];
}

const KEYWORDS = new Set([
  'ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER', 'ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL',
  'USER', 'VOLUME', 'WORKDIR',
]);

const isArg = (instruction: Instruction): instruction is Arg => instruction.getKeyword() === 'ARG';
const isEnv = (instruction: Instruction): instruction is Env => instruction.getKeyword() === 'ENV';
const isFrom = (instruction: Instruction): instruction is From => instruction.getKeyword() === 'FROM';
const holdsHeredocs = (instruction: Instruction): instruction is Run | Copy => ['RUN', 'COPY'].includes(instruction.getKeyword());

function parse(text: string): Dockerfile {
  // Loaded on first use: the parser takes a third of the time to import the library.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be loaded by every app, and few have a Dockerfile
  const { DockerfileParser } = require('dockerfile-ast') as typeof import('dockerfile-ast');
  return DockerfileParser.parse(text);
}

/** Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; a variable that is not known stays as it is. */
export function substitute(text: string, variables: Variables): string {
  return text.replace(/\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g, (whole, braced, operator, word, plain) => {
    const value = variables.get(braced ?? plain);
    if (operator === '-') return value || substitute(word, variables);
    if (operator === '+') return value ? substitute(word, variables) : '';
    return value ?? whole;
  });
}

function lineOf(instruction: Instruction): number {
  return instruction.getRange().start.line + 1;
}

function faultsOfInstruction(instruction: Instruction): string[] {
  const keyword = instruction.getKeyword();
  const at = `line ${lineOf(instruction)}`;
  if (!KEYWORDS.has(keyword)) return [`${at}: '${instruction.getInstruction()}' is not an instruction of a Dockerfile`];
  if ((instruction.getRawArgumentsContent() ?? '').trim() === '') return [`${at}: ${keyword} has no argument`];
  const heredocs = holdsHeredocs(instruction) ? instruction.getHeredocs() : [];
  const open = heredocs.find((heredoc) => heredoc.getDelimiterRange() === null);
  return open ? [`${at}: the here-document '${open.getName()}' has no end`] : [];
}

/**
 * Reads a Dockerfile into stages.
 *
 * The parser takes anything, as an editor needs it to; what a build would refuse is refused here, where the line can be named.
 */
export function parseDockerfile(text: string, buildArgs: BuildArgs = {}): ParsedDockerfile {
  const instructions = parse(text).getInstructions();
  const faults = instructions.flatMap(faultsOfInstruction);
  const first = instructions.findIndex(isFrom);
  if (first < 0) return { stages: [], globals: new Map(), faults: [...faults, 'it has no FROM'] };

  const globals = new Map<string, string>();
  for (const instruction of instructions.slice(0, first)) {
    if (isArg(instruction)) declare([instruction.getProperty()], globals, buildArgs);
    else if (KEYWORDS.has(instruction.getKeyword())) faults.push(`line ${lineOf(instruction)}: ${instruction.getKeyword()} comes before the first FROM`);
  }

  const stages: Stage[] = [];
  for (const instruction of instructions.slice(first)) {
    if (isFrom(instruction)) stages.push(stageOf(instruction, stages, globals));
    else stages[stages.length - 1].instructions.push(instruction);
  }
  return { stages, globals, faults };
}

function stageOf(from: From, earlier: readonly Stage[], globals: Variables): Stage {
  const base = substitute(from.getImage() ?? '', globals);
  const platform = from.getPlatformFlag()?.getValue();
  return {
    from,
    base,
    alias: from.getBuildStage()?.toLowerCase(),
    platform: platform ? substitute(platform, globals) : undefined,
    instructions: [],
    parent: stageNamed(earlier, base),
  };
}

/** The stage of a name, in any case, as `FROM` finds it. */
export function stageNamed(stages: readonly Stage[], name: string): Stage | undefined {
  return stages.find((stage) => stage.alias === name.toLowerCase());
}

/** The stage and those it builds on, the outermost first. */
export function lineage(stage: Stage): Stage[] {
  return [...(stage.parent ? lineage(stage.parent) : []), stage];
}

/** The instructions that make a stage, from its outermost ancestor to the given one or to the end. */
export function instructionsUpTo(stage: Stage, end?: Instruction): Instruction[] {
  const all = lineage(stage).flatMap(({ instructions }) => instructions);
  return end ? all.slice(0, all.indexOf(end)) : all;
}

function declare(properties: readonly (Property | null)[], into: Map<string, string>, given: BuildArgs = {}, inherited: Variables = new Map()): void {
  for (const property of properties) {
    const name = property?.getName();
    if (!property || !name) continue;
    const own = property.getValue();
    const value = given[name] ?? (own !== null ? substitute(own, into) : inherited.get(name));
    if (value !== undefined) into.set(name, value);
  }
}

/** The variables that hold at the end of a stage, or before one of its instructions. */
export function variablesAt(stage: Stage, globals: Variables, buildArgs: BuildArgs, end?: Instruction): Variables {
  const variables = new Map<string, string>();
  const own = new Set<Instruction>(stage.instructions);
  for (const instruction of instructionsUpTo(stage, end)) {
    if (isEnv(instruction)) declare(instruction.getProperties(), variables);
    // Stages inherit the ENV instructions of their parent stage, but not the ARG instructions.
    else if (isArg(instruction) && own.has(instruction)) declare([instruction.getProperty()], variables, buildArgs, globals);
  }
  return variables;
}

/** The names that the Dockerfile sets by ENV, in the stage or in one it builds on. */
export function environmentOf(stage: Stage): Set<string> {
  const properties = instructionsUpTo(stage).flatMap((instruction) => (isEnv(instruction) ? instruction.getProperties() : []));
  return new Set(properties.map((property) => property.getName()));
}

/** The user at some place of a Dockerfile. */
export interface DockerfileUser {
  /** The user as the file names it, with variables resolved. */
  readonly text: string;
  /** The user's number, with the number of the group if the file names one that is not the user's own; `undefined` if it is not known. */
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
  // A group with the user's name is most likely the user's group in passwd; the build checks that.
  return group === user ? uid : undefined;
}
