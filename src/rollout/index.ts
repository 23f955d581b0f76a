export { RuntimeRollout } from './runtime-rollout';
export { type RuntimeRolloutProps } from './runtime-rollout-props';
export { type SmokeCommandOptions, type SmokeInvokeOptions, SmokeTest } from './smoke-test';
