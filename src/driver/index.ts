export * from './session-driver';
