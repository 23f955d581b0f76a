import { NotEmulatedError } from '../assembly';
import type { LocalDeployment } from './local-deployment';
import { STEPS } from '../../src/loop/steps/constants';
import { normalizeMountPath } from '../../src/mount/constants';
import { didYouMean } from '../common/did-you-mean';
import type { Definition } from '../stepfunctions';

/** A `CodingLoop`, as its synthesized state machine describes it. */
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

/** The stack has no such loop, or more than one. */
export class LoopNotFoundError extends Error {
  readonly name = 'LoopNotFoundError';
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

/** The part of a deployment that loops are found in. */
export type Definitions = Pick<LocalDeployment, 'stack' | 'definition'>;

const STATE_MACHINE = 'AWS::StepFunctions::StateMachine';

/** The loops of a stack: state machines that begin with a run's preparation. Of others, nothing is asked. */
function loopsOf(deployment: Definitions, unreadable: NotEmulatedError[]): LoopDescription[] {
  const { stack } = deployment;
  const own = stack.ofType(STATE_MACHINE).filter((logicalId) => stack.resource(logicalId)?.Properties?.DefinitionString !== undefined);
  return own.flatMap((logicalId) => {
    try {
      return describe(logicalId, deployment.definition(logicalId)) ?? [];
    } catch (error) {
      if (!(error instanceof NotEmulatedError)) throw error;
      unreadable.push(error);
      return [];
    }
  });
}

/** The loop of that path or logical id, or whose path or logical id begins or ends so; without a name, the only one. */
export function findLoop(deployment: Definitions, name?: string): LoopDescription {
  const unreadable: NotEmulatedError[] = [];
  const all = loopsOf(deployment, unreadable);
  const exact = all.filter(({ path, logicalId }) => path === name || logicalId === name);
  const found = exact.length > 0 ? exact : all.filter(({ path, logicalId }) => name === undefined || logicalId.startsWith(name) || path.endsWith(`/${name}`));
  if (found.length === 1) return found[0];
  if (found.length === 0 && unreadable.length > 0) throw unreadable[0];
  const there = all.map(({ path }) => path).join(', ') || 'none';
  throw new LoopNotFoundError(name === undefined
    ? `stack ${deployment.stack.name} has ${all.length === 0 ? 'no CodingLoop' : `more than one CodingLoop (${there}): name one with "loop" (--loop)`}`
    : `stack ${deployment.stack.name} has ${found.length === 0 ? 'no' : 'more than one'} CodingLoop "${name}"; there is ${there}${didYouMean(name, all.flatMap(({ path }) => [path, path.split('/').pop()!]))}`);
}

function describe(logicalId: string, definition: Definition): LoopDescription | undefined {
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
