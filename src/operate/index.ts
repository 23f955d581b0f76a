export * from './alarm-options';
export { LoopAlarms } from './loop-alarms';
export { RunArtifacts, type RunArtifactsOptions } from './run-artifacts';
export { RunEvents } from './run-events';
export { RunMessage } from './run-message';
