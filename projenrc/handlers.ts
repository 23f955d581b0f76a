import { awscdk } from 'projen';

/**
 * Runtime of every `*.lambda.ts`. Pinned, since the default floats with the region, and with no externals, since the SDK
 * that Lambda brings may lack AgentCore's newest operations.
 */
export const HANDLER_RUNTIME = new awscdk.LambdaRuntime('nodejs24.x', 'node24', { defaultExternals: [] });

export const HANDLER_BUNDLING = {
  // The SDK's ES modules can be tree-shaken, its CommonJS cannot: a third less to load at a cold start.
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: true, // error names are part of the contract with the state machines
  sourcemap: false,
};
