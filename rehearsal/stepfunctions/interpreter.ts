import type * as interpreter from 'aws-local-stepfunctions' with { 'resolution-mode': 'import' };

/** The one thing of Node 22 that the interpreter needs; Node 20 lacks it. */
function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  let reject!: (reason?: unknown) => void;
  const promise = new Promise<T>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}
if (!('withResolvers' in Promise)) Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, configurable: true, writable: true });

// eslint-disable-next-line @typescript-eslint/no-require-imports -- its types are those of an ES module, its code comes as CommonJS too
export const { StateMachine } = require('aws-local-stepfunctions') as typeof interpreter;

export type RunOptions = interpreter.RunOptions;
export type StateMachineDefinition = interpreter.StateMachineDefinition;
