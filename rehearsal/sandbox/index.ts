export * from './sandbox';
export * from './namespace-driver';
