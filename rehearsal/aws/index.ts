export * from './lambda-invoke';
export * from './request';
export * from './secrets';
