import { awscdk } from 'projen';

/**
 * Runtime of every `*.lambda.ts`. It is pinned, since the default varies by region, and has no externals, since Lambda's own SDK
 * may lack AgentCore's newest operations.
 */
export const HANDLER_RUNTIME = new awscdk.LambdaRuntime('nodejs24.x', 'node24', { defaultExternals: [] });

/** Parts of handlers that `bundleRest` bundles. The publisher makes commits, for which it needs one of them. */
const PARTS = {
  'driver/session-driver.lambda': ['junit', 'listing', 'access', 'agent-report', 'agent-words', 'repair', 'operate', 'run-artifacts', 'run-story'],
  'forge/publisher.lambda': ['agent-words'],
} as const;

export const HANDLER_BUNDLING = {
  // The SDK's ES modules can be tree-shaken, its CommonJS modules cannot: this removes a third of the code that a cold start loads.
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: false,
  // Loaded only when they are needed: `bundleRest`.
  externals: PARTS['driver/session-driver.lambda'].map((part) => `./${part}`),
  // The file says why.
  esbuildArgs: { '--alias:@aws-sdk/credential-provider-node': './src/handler/credentials.ts' },
};

/** Returns the file of a part. The journal knows the steps, and not the other way round. */
function sourceOf(part: string): string {
  return part === 'run-story' ? 'src/journal/run-story.ts' : `src/loop/steps/${part}.ts`;
}

/**
 * Bundles beside the driver what most runs do not need, such as the reader of reports: a cold start would load its XML parser each time. They are
 * modules without a state, so what they share with the driver may be there twice.
 */
export function bundleRest(project: awscdk.AwsCdkConstructLibrary) {
  for (const [name, parts] of Object.entries(PARTS)) {
    for (const part of parts) {
      project.tasks.tryFind(`bundle:${name}`)!.exec([
        `esbuild --bundle ${sourceOf(part)} --target=node24 --platform=node`, `--outfile=assets/${name}/${part}.js`,
        '--tsconfig=tsconfig.dev.json --minify --main-fields=module,main',
        // One part loads another.
        ...part === 'operate' ? ['--external:./run-artifacts'] : part === 'run-artifacts' ? ['--external:./run-story'] : [],
      ].join(' '));
    }
  }
}

/** Code that is sent to sessions is a shell script for readers and for shellcheck, and a string for the handler. */
export function embedScripts(project: awscdk.AwsCdkConstructLibrary) {
  const embed = project.addTask('embed-scripts', {
    description: 'Write the shell scripts that are sent to sessions into TypeScript files',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/embed-scripts.ts',
  });
  project.preCompileTask.prependSpawn(embed);
}

/** Bundles the program that runs an agent in an image: one file for any Node.js since 18, without dependencies. */
export function bundleRunner(project: awscdk.AwsCdkConstructLibrary) {
  const task = project.addTask('bundle:agent/workbench-agent', {
    description: 'Create a JavaScript bundle from src/agent/runner/main.ts',
    steps: [
      {
        exec: [
          'esbuild --bundle src/agent/runner/main.ts --target=node18 --platform=node --outfile=assets/agent/workbench-agent.js',
          '--tsconfig=tsconfig.dev.json --minify-syntax --banner:js="#!/usr/bin/env node"',
        ].join(' '),
      },
      { exec: 'chmod +x assets/agent/workbench-agent.js' },
    ],
  });
  project.bundler.bundleTask.spawn(task);
}
