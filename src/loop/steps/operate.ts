import { LoopConfig } from './loop-config';
import { Operator } from './loop-request';
import { RunEventSender } from './run-events';
import { StepTools } from './step';
import { OperateConfig } from '../../operate/constants';

/** Returns what a loop does around each step for the people who operate it. */
export function operatorFor(config: LoopConfig, operate: OperateConfig, tools: StepTools): Operator {
  const events = operate.events === undefined ? undefined : new RunEventSender(config.name, operate.events, tools);
  return {
    before: async () => ({}),
    failed: async (request, error) => {
      await unfailing(tools, async () => events?.failed(request, error));
      return undefined;
    },
    after: (request, result) => unfailing(tools, async () => events?.after(request, result)),
  };
}

/** Does what a run does not depend on. An error is logged. */
async function unfailing(tools: StepTools, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tools.log?.('not kept', { error: (error as Error).name });
  }
}
