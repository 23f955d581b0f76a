import { awscdk, javascript } from 'projen';
import { LANGUAGES } from './languages';

/** Tests that build container images or run containers. They need root and several minutes, so they have their own task. */
const CONTAINERS = ['/test/image/build/', '/test/rehearsal/sandbox/container/'];

/** Tests that run a second interpreter of the Amazon States Language, which pip installs. */
const SECOND_ENGINE = '/test/second-engine/';

/** Tests of the published package, which need it compiled and bundled. */
const PACKAGE = '/test/package/';

/** Tests that have their own task. */
export const APART = [...CONTAINERS, SECOND_ENGINE, PACKAGE, LANGUAGES];

/**
 * ES modules that the publisher bundles: Octokit, and what it needs. Jest evaluates only CommonJS, unless Node.js has a flag that is still called
 * experimental, for every test file. So these few packages are translated, by the compiler that is there for the tests themselves.
 */
const ES_MODULES = ['@octokit', 'before-after-hook', 'content-type', 'json-with-bigint', 'toad-cache', 'universal-github-app-jwt', 'universal-user-agent'];

const TRANSLATION = {
  tsconfig: { allowJs: true, module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', target: 'es2022', isolatedModules: true },
  diagnostics: false,
};

export const JEST_CONFIG: javascript.JestOptions = {
  // projen's default rewrites snapshots during the run, so that none could ever fail.
  updateSnapshot: javascript.UpdateSnapshot.NEVER,
  // Stricter than projen's default: a pattern that matches no test file fails.
  passWithNoTests: false,
  jestConfig: {
    // Not in /tmp, which the tests have in memory and empty.
    cacheDirectory: 'node_modules/.cache/jest',
    // The last ones have types only: nothing of them runs.
    coveragePathIgnorePatterns: [
      '/node_modules/', '/test/', '-function\\.ts$', '\\.generated\\.ts$',
      '/(agent-image-options|coding-agent-options|i-coding-agent|runtime-rollout-props)\\.ts$', '/publish/forge-client\\.ts$', '/programs/program\\.ts$',
      '/steps/(records|agent-record|operate-records|remote-records|state|loop-config|loop-request|publication)\\.ts$',
      '/journal/(definition|execution-event|forge-description|run-description|step)\\.ts$',
    ],
    setupFilesAfterEnv: ['<rootDir>/test/support/second-try.ts'],
    testSequencer: '<rootDir>/test/support/long-first.js',
    // For single files; the default would leave one of two cores idle. Above 100 %, jest reads the number as one of workers.
    maxWorkers: '100%',
    // A worker retains the memory of its test files, and each process that a test starts is a fork of it: forking a large process takes longer.
    workerIdleMemoryLimit: '600MB',
    collectCoverageFrom: ['src/**/*.ts'],
    // A limit for tests that hang, not for slow ones: many tests run real commands, and the machine may be busy.
    testTimeout: 60_000,
    coverageReporters: ['text', 'lcov'],
    // Most parts of the driver that only some loops load run as bundles in processes of their own, which coverage does not see.
    coverageThreshold: { lines: 95, branches: 95 },
    transform: { '/node_modules/.+\\.js$': new javascript.Transform('ts-jest', TRANSLATION) },
    transformIgnorePatterns: [`/node_modules/(?!(${ES_MODULES.join('|')})/)`],
    // Copies of example repositories, each with a package.json of the same name.
    modulePathIgnorePatterns: ['<rootDir>/\\.rehearsal/', '<rootDir>/cdk\\.out/'],
    testPathIgnorePatterns: ['/node_modules/', '/lib/', '/cdk\\.out/', ...APART],
  },
};

/** Unit tests compile file by file; a separate task checks the types of everything outside `src/` once. */
export function configureTests(project: awscdk.AwsCdkConstructLibrary) {
  project.jest!.addReporter(new javascript.JestReporter('<rootDir>/test/support/flaky-tests.js'));
  const types = project.addTask('typecheck', {
    description: 'Check the types of tests, examples, scripts and the rehearsal',
    exec: 'tsc --noEmit -p tsconfig.dev.json',
  });
  project.preCompileTask.spawn(types);

  // Most tests wait for their own processes: with one worker per processor, processors are idle for a quarter of the time.
  project.testTask.updateStep(0, { exec: 'bash scripts/in-memory.sh jest --ci --maxWorkers=$(node -p "os.availableParallelism() + 1")', receiveArgs: true });

  const images = project.addTask('images', {
    description: 'Build images with developer tools for real, look into them, and rehearse in them',
    exec: `jest --ci --coverage=false --testPathIgnorePatterns=/node_modules/ -- ${CONTAINERS.map((directory) => directory.slice(1)).join(' ')}`,
  });
  project.testTask.spawn(images);

  const secondEngine = project.addTask('second-engine', {
    description: 'Run the loop\'s definitions by a second interpreter, and compare',
    steps: [
      { exec: 'python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target node_modules/.cache/second-engine --upgrade --requirement test/second-engine/requirements.txt' },
      { exec: `bash scripts/in-memory.sh jest --ci --coverage=false --testPathIgnorePatterns=/node_modules/ -- ${SECOND_ENGINE.slice(1)}` },
    ],
  });
  project.testTask.spawn(secondEngine);

  const published = project.addTask('published', {
    description: 'Install the package as it would be published into an empty folder, and use it there',
    exec: `jest --ci --coverage=false --testPathIgnorePatterns=/node_modules/ -- ${PACKAGE.slice(1)}`,
  });
  project.testTask.spawn(published);
}
