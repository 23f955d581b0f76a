import { admission } from './admission';
import { budgeted } from './budget';
import { LoopConfig } from './loop-config';
import { LoopRequest, Operator } from './loop-request';
import type { RunArtifacts } from './run-artifacts';
import { RunEventSender } from './run-events';
import { StepTools } from './step';
import { OperateConfig } from '../../operate/constants';

/** Returns the operational features of a loop, which act before and after each step. */
export function operatorFor(config: LoopConfig, operate: OperateConfig, tools: StepTools): Operator {
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
      return kept;
    },
  };
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
