export * from './alarm-options';
export { LoopAlarms } from './loop-alarms';
export { RunEvents } from './run-events';
export { RunMessage } from './run-message';
