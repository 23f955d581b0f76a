export * from './alarm-options';
export { LoopAlarms } from './loop-alarms';
