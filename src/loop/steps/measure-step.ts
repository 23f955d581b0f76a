import { LOOP_METRICS } from './constants';
import { LoopConfig } from './loop-config';
import { StepTools } from './step';

/** Emits the duration of a call for a step, up to now. */
export function measureStep(
  { operation, config }: { readonly operation: string; readonly config: Pick<LoopConfig, 'name'> }, begunAt: number, { clock, measure }: Pick<StepTools, 'clock' | 'measure'>,
): void {
  const { names, dimension, stepDimension } = LOOP_METRICS;
  measure(names.STEP_SECONDS, (clock.now() - begunAt) / 1_000, 'Seconds', { [dimension]: config.name, [stepDimension]: operation.replace('loop:', '') });
}
