import { awscdk } from 'projen';
import { NOT_FAST } from './fast-tests';
import { APART } from './tests';

/** The README's second command: runs all checks that need only Node and git. */
export function configureCheck(project: awscdk.AwsCdkConstructLibrary) {
  const upstreamNames = project.addTask('check:upstream-names', {
    description: 'Compile the library and a user of it against an aws-cdk-lib that has the members it may get',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/check-upstream-names.ts',
  });
  project.addTask('check', {
    description: 'Install the tools that the tests use, then build, lint and test everything',
    // With CI set, the build creates only the JavaScript package, since the other languages need their own toolchains (`npx projen package-all`).
    env: { CI: 'true' },
    steps: [
      { exec: 'bash scripts/install-tools.sh' },
      { spawn: 'build' },
      { spawn: upstreamNames.name },
    ],
  });
  const ignored = ['/node_modules/', '/lib/', "'/cdk\\.out/'", ...APART, ...Object.values(NOT_FAST).flat().map((file) => `/${file}`)];
  project.addTask('check:fast', {
    description: 'The loop of daily work: types, style and the tests that need no root, containers, browsers or other languages, in minutes',
    steps: [
      { spawn: 'embed-scripts' },
      { spawn: 'bundle' },
      { spawn: 'typecheck' },
      { spawn: 'eslint' },
      { spawn: 'imports' },
      { spawn: 'prose' },
      { exec: `bash scripts/in-memory.sh jest --ci --coverage=false --testPathIgnorePatterns ${ignored.join(' ')}` },
    ],
  });
  project.addTask('check:newest-cdk', {
    description: 'Compile and test against the newest aws-cdk-lib',
    exec: 'bash scripts/newest-cdk.sh',
  });
}
