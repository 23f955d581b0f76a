export * from './forge';
export * from './github';
export * from './gitlab';
export * from './publisher';
