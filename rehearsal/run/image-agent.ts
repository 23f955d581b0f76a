import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import type { CommandAgent } from '../agentcore';
import type { SynthesizedStack } from '../assembly';
import type { ImageAsset } from '../sandbox';

/** What the image of a runtime is built from; nothing for an image that is not the app's. */
export function imageOfRuntime(stack: SynthesizedStack, runtimeLogicalId: string): ImageAsset | undefined {
  const artifact = JSON.stringify(stack.resource(runtimeLogicalId)?.Properties?.AgentRuntimeArtifact ?? {});
  const [, tag] = /:([0-9a-f]{64})"/.exec(artifact) ?? [];
  return tag === undefined ? undefined : stack.imageAsset(tag);
}

/**
 * What an image of the app would run, started in the image's directory on this machine: the image itself is not built.
 * @returns nothing for an image that is not the app's, or whose Dockerfile has no command in JSON form
 */
export function agentOfImage(stack: SynthesizedStack, runtimeLogicalId: string): CommandAgent | undefined {
  const image = imageOfRuntime(stack, runtimeLogicalId);
  if (!image) return undefined;
  const dockerfile = DockerfileParser.parse(readFileSync(image.dockerfile, 'utf8'));
  const words = (instruction: { getArgumentsContent(): string | null } | undefined) => wordsOf(instruction?.getArgumentsContent() ?? '');
  const command = [...words(dockerfile.getENTRYPOINTs().pop()), ...words(dockerfile.getCMDs().pop())];
  return command.length === 0 ? undefined : { command, workingDirectory: resolve(image.directory) };
}

/** Of the JSON form; a line for a shell is left to the user, who knows which shell. */
function wordsOf(text: string): string[] {
  return text.startsWith('[') ? JSON.parse(text.replace(/\\\r?\n/g, '')) as string[] : [];
}
