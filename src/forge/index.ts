export * from './forge';
export * from './publisher';
