import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import type { Copy, Instruction } from 'dockerfile-ast';
import type { AgentDefinition } from '../../src/agent/constants';
import { APPLICATION_CONTEXT, DEFINITION_FILE, SCRIPTS_DIRECTORY } from '../../src/image/constants';
import { instructionsUpTo, parseDockerfile, stageNamed, substitute, variablesAt } from '../../src/image/dockerfile';
import type { CommandAgent } from '../agentcore';
import type { SynthesizedStack } from '../assembly';
import type { ImageAsset } from '../sandbox';

/** Returns the build context of a runtime's image, or `undefined` if the app does not build the image. */
export function imageOfRuntime(stack: SynthesizedStack, runtimeLogicalId: string): ImageAsset | undefined {
  const artifact = JSON.stringify(stack.resource(runtimeLogicalId)?.Properties?.AgentRuntimeArtifact ?? {});
  const [, tag] = /:([0-9a-f]{64})"/.exec(artifact) ?? [];
  return tag === undefined ? undefined : stack.imageAsset(tag);
}

/**
 * Returns the command of an app's image, for this machine: the image itself is not built.
 * @returns `undefined` if the app does not build the image, or its Dockerfile has no command in JSON form
 */
export function agentOfImage(stack: SynthesizedStack, runtimeLogicalId: string): CommandAgent | undefined {
  const image = imageOfRuntime(stack, runtimeLogicalId);
  return image && agentOfAsset(image);
}

/**
 * The command starts in the directory that the files of the image's working directory come from: the one that the Dockerfile copies
 * there, or the top of the build context. Words that name a file in the working directory are replaced by its path on this machine.
 */
export function agentOfAsset({ directory, dockerfile, target, buildArgs }: ImageAsset): CommandAgent | undefined {
  const { stages, globals } = parseDockerfile(readFileSync(dockerfile, 'utf8'), buildArgs);
  const stage = target === undefined ? stages[stages.length - 1] : stageNamed(stages, target);
  if (!stage) return undefined;
  const instructions = instructionsUpTo(stage);
  const last = (keyword: string) => wordsOf(instructions.filter((instruction) => instruction.getKeyword() === keyword).pop());
  const command = [...last('ENTRYPOINT'), ...last('CMD')];
  if (command.length === 0) return undefined;

  const variables = variablesAt(stage, globals, buildArgs ?? {});
  const { inside, outside } = workingDirectoryOf(instructions, resolve(directory), (text) => substitute(text, variables));
  const here = (word: string) => word.startsWith(`${inside}/`) ? join(outside, word.slice(inside.length)) : word;
  return { command: command.map((word) => existsSync(here(word)) ? here(word) : word), workingDirectory: outside };
}

/** Returns the definition of the coding agent that an image of `AgentImage.forAgent` has, with the path of its files on this machine. */
export function definitionInImage(stack: SynthesizedStack, runtimeLogicalId: string): AgentDefinition | undefined {
  const { directory } = imageOfRuntime(stack, runtimeLogicalId) ?? {};
  const file = directory === undefined ? undefined : join(directory, SCRIPTS_DIRECTORY, DEFINITION_FILE);
  if (file === undefined || !existsSync(file)) return undefined;
  const definition = JSON.parse(readFileSync(file, 'utf8')) as AgentDefinition;
  return definition.directory === undefined ? definition : { ...definition, directory: join(resolve(directory!), APPLICATION_CONTEXT) };
}

interface WorkingDirectory {
  readonly inside: string;
  /** The directory on this machine that its files come from. */
  readonly outside: string;
}

function workingDirectoryOf(instructions: readonly Instruction[], context: string, known: (text: string) => string): WorkingDirectory {
  let inside = '/';
  const copied = new Map<string, string>();
  for (const instruction of instructions) {
    const keyword = instruction.getKeyword();
    if (keyword === 'WORKDIR') inside = posix.resolve(inside, known(instruction.getArgumentsContent() ?? ''));
    if (keyword !== 'COPY' && keyword !== 'ADD') continue;
    const { words, isFromElsewhere } = copyOf(instruction as Copy);
    const source = join(context, known(words[0] ?? ''));
    if (!isFromElsewhere && words.length === 2 && statSync(source, { throwIfNoEntry: false })?.isDirectory()) {
      copied.set(posix.resolve(inside, known(words[1])), resolve(source));
    }
  }
  return { inside, outside: copied.get(inside) ?? context };
}

function copyOf(instruction: Copy): { readonly words: readonly string[]; readonly isFromElsewhere: boolean } {
  const words = instruction.getOpeningBracket() === null ? instruction.getArguments().map((word) => word.getValue())
    : instruction.getJSONStrings().map((word) => word.getJSONValue());
  return { words, isFromElsewhere: instruction.getFlags().some((flag) => flag.getName() === 'from') };
}

/** Parses the JSON form. The shell form is left out, because it depends on the image's shell. */
function wordsOf(instruction: Instruction | undefined): string[] {
  const text = instruction?.getArgumentsContent() ?? '';
  return text.startsWith('[') ? JSON.parse(text.replace(/\\\r?\n/g, '')) as string[] : [];
}
