export type { Definition, State } from './definition';
export type { ExecutionEvent } from './execution-event';
export * from './executions';
export * from './local-state-machine';
export * from './task-callbacks';
export * from './task-error';
export * from './task-tokens';
