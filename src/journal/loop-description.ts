import type { Definition } from './definition';
import { STEPS } from '../loop/steps/constants';
import { normalizeMountPath } from '../mount/constants';

/** A `CodingLoop`, as its state machine describes it. */
export interface LoopDescription {
  readonly logicalId: string;
  /** The construct's path, such as `FirstLoop/Fix`. */
  readonly path: string;
  readonly definition: Definition;
  readonly runtimeArn: string;
  readonly mount: string;
  readonly endpointName?: string;
  readonly repository?: { readonly url: string; readonly ref?: string };
  /** Patterns of repositories that an input may name. */
  readonly allow?: readonly string[];
  readonly gates: readonly { readonly name: string; readonly command: string; readonly state: string }[];
  /** The program that is the agent; without it, the agent that serves the runtime is invoked. */
  readonly agentCommand?: string;
  readonly maxRepairs: number;
  /** ARN of the function that holds the credential of the repository's forge. Missing if there is no forge. */
  readonly publisher?: string;
}

/**
 * Returns the loops that a name means: the loop of that path or logical ID; otherwise those whose path ends with it; otherwise those whose logical
 * ID begins with it, as that of the state machine does with the ID of its loop.
 */
export function loopsNamed<T extends Pick<LoopDescription, 'path' | 'logicalId'>>(all: readonly T[], name: string): readonly T[] {
  const meanings = [
    ({ path, logicalId }: T) => path === name || logicalId === name,
    ({ path }: T) => path.endsWith(`/${name}`),
    ({ logicalId }: T) => logicalId.startsWith(name),
  ];
  return meanings.map((isMeant) => all.filter(isMeant)).find((found) => found.length > 0) ?? [];
}

interface StepParameters {
  readonly operation?: string;
  readonly runtimeArn?: string;
  readonly config?: Pick<LoopDescription, 'mount' | 'endpointName' | 'repository' | 'allow'> & { readonly name: string; readonly forge?: { readonly publisher: string } };
  readonly gates?: readonly string[];
  readonly gate?: { readonly name: string; readonly command: string };
  readonly maxRepairs?: number;
  readonly command?: string;
}

/** Describes the loop that a state machine is. Returns nothing for any other state machine: a loop's begins with a run's preparation. */
export function describeLoop(logicalId: string, definition: Definition): LoopDescription | undefined {
  const steps = Object.entries(definition.States).map(([state, { Parameters }]) => ({ state, ...Parameters as StepParameters | undefined }));
  const of = (operation: string) => steps.filter((step) => step.operation === operation);
  const [prepare] = of(STEPS.PREPARE);
  if (prepare?.config === undefined || prepare.runtimeArn === undefined) return undefined;
  const { name, mount, endpointName, repository, allow, forge } = prepare.config;
  const [commit] = of(STEPS.COMMIT);
  // In the order of the run: the template has the states as they were made.
  const order = commit?.gates ?? [];
  const gates = of(STEPS.GATE).sort((a, b) => order.indexOf(a.gate!.name) - order.indexOf(b.gate!.name));
  return {
    logicalId,
    path: name,
    definition,
    runtimeArn: prepare.runtimeArn,
    mount: normalizeMountPath(mount),
    endpointName,
    repository,
    allow,
    gates: gates.map(({ state, gate }) => ({ state, name: gate!.name, command: gate!.command })),
    agentCommand: of(STEPS.TURN)[0]?.command,
    maxRepairs: gates[0]?.maxRepairs ?? 0,
    publisher: forge?.publisher,
  };
}
