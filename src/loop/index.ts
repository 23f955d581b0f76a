export * from './agent-turn';
export * from './coding-loop';
export * from './coding-loop-props';
export * from './commit';
export * from './gate';
export * from './git-repository';
export * from './protected-paths';
export * from './verification';
