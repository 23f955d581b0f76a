export type { Definition, State } from '../../src/journal/definition';
export type { ExecutionEvent } from '../../src/journal/execution-event';
export * from './executions';
export * from './local-state-machine';
export * from './task-callbacks';
export * from './task-error';
export * from './task-tokens';
