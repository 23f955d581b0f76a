export * from './command';
export * from './invoke-agent';
export * from './run-command';
export * from './run-command-props';
export * from './session-task';
export * from './stop-session';
export * from './task-props';
