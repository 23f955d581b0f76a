export * from './cloudformation';
export * from './event-bus';
export * from './kept-files';
export * from './lambda-invoke';
export * from './object-store';
export * from './parameters';
export * from './request';
export * from './secrets';
