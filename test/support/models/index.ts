export * from './script';
export { ModelServer } from './server';
export type { ModelServerOptions, SeenRequest } from './server';
