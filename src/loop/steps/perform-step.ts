import { checkBase } from './check-base';
import { commit } from './commit';
import { LOOP_METRICS, NEXT, STEPS, TURN_NOT_BEGUN } from './constants';
import { LoopError } from './errors';
import { gate } from './gate';
import { LoopRequest, Operator } from './loop-request';
import { measureStep } from './measure-step';
import { withMeter } from './meter';
import { bootstrap, prepareOrRefuse } from './prepare';
import { snapshot } from './snapshot';
import { LoopState } from './state';
import { StepTools } from './step';
import { cleanUp, stop } from './stop';
import { turn } from './turn';
import { verify } from './verify';
import { stopSession } from '../../jobs/stop-session';

export function isLoopRequest(request: { readonly operation: string }): request is LoopRequest {
  return (Object.values(STEPS) as string[]).includes(request.operation);
}

/** Performs one step of a run, and keeps people informed. */
export async function performStep(request: LoopRequest, tools: StepTools & { readonly tell?: Tell }): Promise<object> {
  await tools.tell?.(request);
  const operator = operatorOf(request, tools);
  const admit = async () => {
    const { refusal, ...limits } = await operator?.admit(request) ?? {};
    if (refusal !== undefined) throw new LoopError(refusal.name, `${beginsTurn(request) ? TURN_NOT_BEGUN : ''}${refusal.message}`);
    return limits;
  };
  const begunAt = tools.clock.now();
  const work = async () => {
    const kept = await operator?.before(request);
    // The first step looks at the input before anything else.
    const limits = request.operation === STEPS.PREPARE ? { admit } : await admit();
    return perform(request, { ...tools, ...kept, ...limits });
  };
  const performed = await work().catch(async (error: Error) => {
    throw await operator?.failed(request, error) ?? error;
  }).finally(() => measureStep(request, begunAt, tools));
  const metered = withMeter(request, performed, begunAt, tools.clock.now());
  if (request.operation === STEPS.VERIFY && CAUGHT.includes((metered as LoopState).next)) {
    tools.measure(LOOP_METRICS.names.CATCHES, 1, 'Count', { [LOOP_METRICS.dimension]: request.config.name });
  }
  const result = operator === undefined ? metered : await operator.after(request, metered);
  await tools.tell?.(request, result);
  return result;
}

/** Determines whether a step begins a turn, and does not continue one. */
function beginsTurn(request: LoopRequest): boolean {
  return request.operation === STEPS.TURN && request.state.loop.next !== NEXT.RUNNING;
}

/** The ways in which the state machine continues after a verification that did not pass. */
const CAUGHT: readonly string[] = [NEXT.REPAIR, NEXT.RED, NEXT.STUCK];

function operatorOf({ config }: LoopRequest, tools: StepTools): Operator | undefined {
  if (config.operate === undefined) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only with "artifacts", "budget" or such; Jest cannot import() without ".ts"
  const { operatorFor } = require('./operate') as typeof import('./operate');
  return operatorFor(config, config.operate, { ...tools, stopSession });
}

/** Keeps people informed, before a step and, with its result, after it. */
export type Tell = (request: LoopRequest, result?: object) => Promise<void>;

async function perform(request: LoopRequest, tools: StepTools): Promise<object> {
  switch (request.operation) {
    case STEPS.PREPARE: return prepareOrRefuse(request, tools);
    case STEPS.BOOTSTRAP: return bootstrap(request, tools);
    case STEPS.TURN: return turn(request, tools);
    case STEPS.SNAPSHOT: return snapshot(request, tools);
    case STEPS.GATE: return gate(request, tools);
    case STEPS.CHECK_BASE: return checkBase(request, tools);
    case STEPS.VERIFY: return verify(request, tools);
    case STEPS.COMMIT: return commit(request, tools);
    case STEPS.STOP: return stop(request, tools);
    case STEPS.CLEAN_UP: return cleanUp(request, tools);
  }
}
