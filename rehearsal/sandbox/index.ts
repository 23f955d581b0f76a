export * from './sandbox';
export * from './choose';
export * from './container-driver';
export * from './container-tool';
export * from './image';
export * from './namespace-driver';
