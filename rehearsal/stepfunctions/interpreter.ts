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

type Query = (options: { readonly path: string; readonly json: unknown }) => unknown;

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the module that the interpreter itself has, not a copy of its names
const jsonpath = require('jsonpath-plus') as { JSONPath: Query };
const { JSONPath: query } = jsonpath;

/** To what the interpreter asks paths with, a document of `null`, `false`, `0` or `''` is none at all. */
jsonpath.JSONPath = (options) => {
  if (options.json) return query(options);
  return options.path === '$' ? options.json : undefined;
};

// eslint-disable-next-line @typescript-eslint/no-require-imports -- its types are those of an ES module, its code comes as CommonJS too
export const { StateMachine } = require('aws-local-stepfunctions') as typeof interpreter;

/** The interpreter's own error of a task that took too long, which it does not export: `States.TaskFailed` does not match it. */
export async function timeoutError(): Promise<Error> {
  const states = { A: { Type: 'Task' as const, Resource: 'arn:aws:lambda:us-east-1:123456789012:function:F', TimeoutSeconds: 1e-3, End: true as const } };
  const never = () => new Promise<never>(() => undefined);
  // A part of a second is not valid, but enough.
  const { result } = new StateMachine({ StartAt: 'A', States: states }, { validationOptions: { noValidate: true } }).run({}, { overrides: { taskResourceLocalHandlers: { A: never } } });
  // Its cause is empty in the service.
  return result.then(() => new Error('it took no time'), ({ cause }: { cause: Error }) => Object.assign(cause, { message: '' }));
}

export type RunOptions = interpreter.RunOptions;
export type StateMachineDefinition = interpreter.StateMachineDefinition;
