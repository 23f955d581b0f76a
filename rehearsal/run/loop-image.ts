import { imageOfRuntime } from './image-agent';
import { findLoop } from './loop-description';
import { Assembly, TemplateValues } from '../assembly';
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
  // Before anything is deployed, a reference to the runtime names it.
  const values = new TemplateValues(synthesized, { region: 'us-east-1', account: '123456789012', values: new Map() });
  const definition = (logicalId: string) => values.json<Definition>(logicalId, 'DefinitionString');
  const [, runtime] = RUNTIME_ARN.exec(findLoop({ stack: synthesized, definition }, loop).runtimeArn) ?? [];
  const asset = runtime === undefined ? undefined : imageOfRuntime(synthesized, runtime);
  return asset && ((tool) => buildImage(tool, asset, options));
}
