/**
 * The program of a function's process. It is plain JavaScript, because that process is a Node.js without TypeScript.
 *
 * It loads the handler as Lambda does, once, as an ES module or as CommonJS, and answers requests over IPC, one after the other.
 */
export const BOOTSTRAP = `
const { _HANDLER, LAMBDA_TASK_ROOT } = process.env;
const [file, name] = _HANDLER.split('.');
const failure = (error) => error instanceof Error
  ? { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\\n') }
  : { errorType: typeof error, errorMessage: String(error), trace: [] };
let handler;
let broken;
const load = async () => {
  const { existsSync } = require('fs');
  const path = require('path').resolve(LAMBDA_TASK_ROOT, file);
  const found = ['.js', '.mjs', '.cjs'].map((extension) => path + extension).find((candidate) => existsSync(candidate));
  if (found === undefined) throw Object.assign(new Error('Cannot find module ' + JSON.stringify(file)), { name: 'Runtime.ImportModuleError' });
  const loaded = await import(require('url').pathToFileURL(found));
  handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler !== 'function') throw Object.assign(new Error(_HANDLER + ' is undefined or not exported'), { name: 'Runtime.HandlerNotFound' });
};
const ready = load().catch((error) => {
  broken = failure(error);
});
process.on('disconnect', () => process.exit());
process.on('message', async ({ event, requestId, deadline, arn }) => {
  const context = {
    awsRequestId: requestId,
    invokedFunctionArn: arn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  await ready;
  try {
    if (broken) throw broken;
    const result = await handler(event, context);
    process.send({ result: JSON.parse(JSON.stringify(result === undefined ? null : result)) });
  } catch (error) {
    process.send({ failure: error === broken ? broken : failure(error) });
  }
});
ready.then(() => process.send({ ready: true }));
`;
