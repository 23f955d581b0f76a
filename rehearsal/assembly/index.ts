export * from './assembly';
export * from './template-values';
