export * from './local-deployment';
export * from './loop-description';
