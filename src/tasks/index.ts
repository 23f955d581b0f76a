export * from './command';
export * from './invoke-agent';
export * from './run-command';
export * from './run-command-props';
export * from './stop-session';
