import { awscdk, javascript } from 'projen';

export const JEST_CONFIG: javascript.JestOptions = {
  // The default of projen rewrites snapshots as it runs, so that none could ever fail.
  updateSnapshot: javascript.UpdateSnapshot.NEVER,
  jestConfig: {
    coveragePathIgnorePatterns: ['/node_modules/', '/test/', '-function\\.ts$'],
    collectCoverageFrom: ['src/**/*.ts'],
    coverageReporters: ['text', 'lcov'],
    coverageThreshold: { lines: 95, branches: 95 },
    testPathIgnorePatterns: ['/node_modules/', '/lib/', '/cdk\\.out/'],
  },
};

/** Unit tests compile file by file; types are checked once, for everything that is not `src/`, by a task of their own. */
export function configureTests(project: awscdk.AwsCdkConstructLibrary) {
  const types = project.addTask('typecheck', {
    description: 'Check the types of tests, examples, scripts and the rehearsal',
    exec: 'tsc --noEmit -p tsconfig.dev.json',
  });
  project.preCompileTask.spawn(types);
}
