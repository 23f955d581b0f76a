export * from './alarm-options';
export { LoopAlarms } from './loop-alarms';
export { RunArtifacts, type RunArtifactsOptions } from './run-artifacts';
export * from './run-brake';
export * from './run-budget';
export { RunEvents } from './run-events';
export { RunMessage } from './run-message';
