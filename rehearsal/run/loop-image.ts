import { definitionInImage, imageOfRuntime } from './image-agent';
import type { AgentDefinition } from '../../src/agent/constants';
import { Assembly, SynthesizedStack, TemplateValues } from '../assembly';
import { findLoop, LoopDescription } from '../deployment';
import { BuildOptions, buildImage, ContainerTool } from '../sandbox';
import type { Definition } from '../stepfunctions';

const RUNTIME_ARN = /^(\w+)\.AgentRuntimeArn$/;

/** Names a loop of a cloud assembly. */
export interface LoopLocation {
  /** Directory of a cloud assembly, such as `cdk.out`. */
  readonly assembly: string;
  /** @default - the only stack of the assembly */
  readonly stack?: string;
  /** Path or logical id of the `CodingLoop`. @default - the only loop of the stack */
  readonly loop?: string;
}

/**
 * Returns a function for `chooseSandbox` that builds the image of a loop's runtime, or `undefined` if the app does not build an image for it.
 */
export function loopImage(
  { assembly, stack, loop }: LoopLocation, options: BuildOptions = {},
): ((tool: ContainerTool) => Promise<string>) | undefined {
  const synthesized = Assembly.load(assembly).stack(stack);
  const runtime = runtimeOf(synthesized, loop);
  const asset = runtime === undefined ? undefined : imageOfRuntime(synthesized, runtime);
  return asset && ((tool) => buildImage(tool, asset, options));
}

/** Returns the definition of the coding agent that the image of a loop's runtime has, or `undefined` if it has none. */
export function loopAgent({ assembly, stack, loop }: LoopLocation): AgentDefinition | undefined {
  const synthesized = Assembly.load(assembly).stack(stack);
  const runtime = runtimeOf(synthesized, loop);
  return runtime === undefined ? undefined : definitionInImage(synthesized, runtime);
}

/** Returns the logical ID of a loop's runtime, if it is in the stack. */
function runtimeOf(stack: SynthesizedStack, loop: string | undefined): string | undefined {
  return RUNTIME_ARN.exec(loopIn(stack, loop).runtimeArn)?.[1];
}

/** A loop as it is before anything is deployed: a reference to its runtime names it. */
export function loopIn(stack: SynthesizedStack, loop?: string): LoopDescription {
  const values = new TemplateValues(stack, { region: 'us-east-1', account: '123456789012', values: new Map() });
  return findLoop({ stack, definition: (logicalId) => values.json<Definition>(logicalId, 'DefinitionString') }, loop);
}
