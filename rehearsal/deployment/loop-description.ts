import { NotEmulatedError } from '../assembly';
import type { LocalDeployment } from './local-deployment';
import { describeLoop, LoopDescription, loopsNamed } from '../../src/journal/loop-description';
import { didYouMean } from '../common/did-you-mean';

/** The stack has no such loop, or more than one. */
export class LoopNotFoundError extends Error {
  readonly name = 'LoopNotFoundError';

  /** @param found the number of loops that have the name */
  constructor(readonly found: number, message: string) {
    super(message);
  }
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
      return describeLoop(logicalId, deployment.definition(logicalId)) ?? [];
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
  try {
    return chooseLoop(all, deployment.stack.name, name);
  } catch (error) {
    throw error instanceof LoopNotFoundError && error.found === 0 && unreadable.length > 0 ? unreadable[0] : error;
  }
}

/** The same among the loops of a stack, wherever their descriptions are from. */
export function chooseLoop(all: readonly LoopDescription[], stack: string, name?: string): LoopDescription {
  const found = name === undefined ? all : loopsNamed(all, name);
  if (found.length === 1) return found[0];
  const there = all.map(({ path }) => path).join(', ') || 'none';
  throw new LoopNotFoundError(found.length, name === undefined
    ? `stack ${stack} has ${all.length === 0 ? 'no CodingLoop' : `more than one CodingLoop (${there}): name one with "loop" (--loop)`}`
    : `stack ${stack} has ${found.length === 0 ? 'no' : 'more than one'} CodingLoop "${name}"; the stack has ${there}${didYouMean(name, all.flatMap(({ path }) => [path, path.split('/').pop()!]))}`);
}
