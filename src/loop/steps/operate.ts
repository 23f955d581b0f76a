import { LoopConfig } from './loop-config';
import { Operator } from './loop-request';
import { StepTools } from './step';
import { OperateConfig } from '../../operate/constants';

/** Returns what a loop does around each step for the people who operate it. */
export function operatorFor(_config: LoopConfig, _operate: OperateConfig, _tools: StepTools): Operator {
  return {
    before: async () => ({}),
    failed: async () => undefined,
    after: async () => undefined,
  };
}
