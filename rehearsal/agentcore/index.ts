export * from './agent';
export * from './calls';
export * from './clock';
export type { RuntimeProps } from './deploy';
export type { Fault, FaultKind, FaultPoint, FaultSpec } from './faults';
export * from './server';
export { COMMAND_MODES, type CommandMode } from './words';
