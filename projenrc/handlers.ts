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
  sourcemap: false,
  // See the file for why.
  esbuildArgs: { '--alias:@aws-sdk/credential-provider-node': './src/handler/credentials.ts' },
};

/** What is sent to sessions is a shell script for its readers and for shellcheck, and a string for the handler. */
export function embedScripts(project: awscdk.AwsCdkConstructLibrary) {
  const embed = project.addTask('embed-scripts', {
    description: 'Write the shell scripts that are sent to sessions into TypeScript files',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/embed-scripts.ts',
  });
  project.preCompileTask.prependSpawn(embed);
}
