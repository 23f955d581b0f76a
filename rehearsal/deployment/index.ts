export type { LoopDescription } from '../../src/journal/loop-description';
export * from './local-deployment';
export * from './loop-description';
