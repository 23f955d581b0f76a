export * from './execution-environment';
export * from './local-function';
