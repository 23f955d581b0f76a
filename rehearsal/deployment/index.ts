export type { LoopDescription } from '../../src/journal/loop-description';
export { executionEnded } from './events';
export * from './local-deployment';
export * from './loop-description';
export * from './run-state-machine';
