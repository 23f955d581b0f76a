export * from './default-endpoint-warning';
export * from './runtime-rollout';
export * from './smoke-test';
