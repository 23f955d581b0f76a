import { imageOfRuntime } from './image-agent';
import { findLoop, LoopDescription } from './loop-description';
import { Assembly, SynthesizedStack, TemplateValues } from '../assembly';
import type { RehearsalProps } from '../rehearsal';
import { BuildOptions, buildImage, ContainerTool } from '../sandbox';
import type { Definition } from '../stepfunctions';

const RUNTIME_ARN = /^(\w+)\.AgentRuntimeArn$/;

/**
 * For `chooseSandbox`: builds the image of a loop's runtime with the tool that is there.
 * @returns nothing for an image that the app does not build
 */
export function loopImage(
  { assembly, stack, loop }: Pick<RehearsalProps, 'assembly' | 'stack' | 'loop'>, options: BuildOptions = {},
): ((tool: ContainerTool) => Promise<string>) | undefined {
  const synthesized = Assembly.load(assembly).stack(stack);
  const [, runtime] = RUNTIME_ARN.exec(loopIn(synthesized, loop).runtimeArn) ?? [];
  const asset = runtime === undefined ? undefined : imageOfRuntime(synthesized, runtime);
  return asset && ((tool) => buildImage(tool, asset, options));
}

/** A loop as it is before anything is deployed: a reference to its runtime names it. */
export function loopIn(stack: SynthesizedStack, loop?: string): LoopDescription {
  const values = new TemplateValues(stack, { region: 'us-east-1', account: '123456789012', values: new Map() });
  return findLoop({ stack, definition: (logicalId) => values.json<Definition>(logicalId, 'DefinitionString') }, loop);
}
