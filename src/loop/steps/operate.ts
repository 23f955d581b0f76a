import { admission } from './admission';
import { budgeted } from './budget';
import { QUEUED, STEPS } from './constants';
import { LoopConfig } from './loop-config';
import { LoopRequest, Operator } from './loop-request';
import { withKeeping } from './meter';
import { occupantOf } from './occupant';
import type { PrepareRequest } from './prepare';
import type { RunArtifacts } from './run-artifacts';
import { RunEventSender } from './run-events';
import { sessionOf } from './sessions';
import { StepTools } from './step';
import type { stopSession } from '../../jobs/stop-session';
import { OperateConfig } from '../../operate/constants';

/** Functions of the driver: this part would contain a copy of the SDK's. */
interface DriverTools extends StepTools {
  readonly stopSession: typeof stopSession;
}

/** Returns the operational features of a loop, which act before and after each step. */
export function operatorFor(config: LoopConfig, operate: OperateConfig, tools: DriverTools): Operator {
  const events = operate.events === undefined ? undefined : new RunEventSender(config.name, operate.events, tools);
  let artifacts: RunArtifacts | undefined;
  return {
    before: async (request) => {
      artifacts = artifactsOf(request, operate, tools);
      artifacts?.before();
      return { ...artifacts?.hooks };
    },
    admit: async (request) => {
      const { refusal } = await admission(request, operate, tools);
      if (refusal !== undefined && refusal.name !== QUEUED && request.operation === STEPS.PREPARE) await stopEarlierTry(request, tools);
      if (refusal !== undefined || operate.budget === undefined) return { refusal };
      return budgeted(request, operate.budget, tools.clock.now());
    },
    failed: async (request, error) => {
      const recorded = await unfailing(tools, undefined, async () => artifacts?.failed(error));
      await unfailing(tools, undefined, async () => events?.failed(request, recorded ?? error));
      return recorded;
    },
    after: async (request, result) => {
      const kept = await unfailing(tools, result, async () => artifacts === undefined ? result : artifacts.after(result));
      await unfailing(tools, undefined, async () => events?.after(request, kept));
      return withKeeping(kept, tools.clock.now());
    },
  };
}

/**
 * Stops the session that an earlier try of the first step may have started: after a refusal, nothing else stops it. Throws if it cannot be
 * stopped, so that the step is tried again.
 */
async function stopEarlierTry({ execution, runtimeArn, state, config }: PrepareRequest, tools: DriverTools): Promise<void> {
  const where = sessionOf(execution, state, config.endpointName);
  if (where === undefined) return;
  // Another run may work in a session that the input names.
  if (where.maker !== execution && await occupantOf(where, execution, tools).catch(() => 'not known') !== undefined) return;
  const address = { runtimeArn, qualifier: where.session.endpointName, sessionId: where.session.id };
  await tools.stopSession(tools.client, address, tools.clock, tools.backoffSeconds);
}

function artifactsOf(request: LoopRequest, { artifacts }: OperateConfig, tools: StepTools): RunArtifacts | undefined {
  if (artifacts === undefined) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only for loops with artifacts; Jest cannot import() without ".ts"
  const part = require('./run-artifacts') as typeof import('./run-artifacts');
  return new part.RunArtifacts(artifacts, request, tools);
}

/** Does work that must not fail a run. An error is logged. */
async function unfailing<T>(tools: StepTools, otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    tools.log?.('not kept', { error: (error as Error).name });
    return otherwise;
  }
}
