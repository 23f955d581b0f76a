import { awscdk, Task } from 'projen';
import { NOT_FAST } from './fast-tests';
import { APART } from './tests';

/** These start first, the longest one before the others, so that none is left to run alone. */
const LONG = ['published', 'images', 'python', 'second-engine', 'check:upstream-names', 'eslint', 'rosetta', 'typecheck'];

/** Returns a command that runs tasks at the same time. They must not need or change each other's files. */
function atOnce(names: readonly string[]): string {
  const order = (name: string) => (LONG.includes(name) ? LONG.indexOf(name) : LONG.length);
  return `bash scripts/at-once.sh ${[...names].sort((one, other) => order(one) - order(other)).join(' ')}`;
}

/** Both steps of a build, after it has compiled and after its unit tests, use all processors. */
function configureBuild(project: awscdk.AwsCdkConstructLibrary): void {
  const spawned = ({ steps }: Task) => steps.flatMap(({ spawn }) => spawn ?? []);

  const written = spawned(project.postCompileTask);
  const types = project.preCompileTask.steps.findIndex(({ spawn }) => spawn === 'typecheck');
  project.preCompileTask.removeStep(types);
  project.postCompileTask.reset();
  project.postCompileTask.exec(atOnce([...written, 'typecheck']));

  const [unitTests] = project.testTask.steps;
  const others = spawned(project.testTask);
  project.testTask.reset(unitTests.exec, { receiveArgs: true });
  // None of them builds the package while another one reads it.
  for (const name of ['package:parts', 'package:translations']) project.testTask.spawn(project.tasks.tryFind(name)!);
  project.testTask.exec(atOnce([...others, 'check:upstream-names']));
}

/** The README's second command: runs all checks that need only Node and git. */
export function configureCheck(project: awscdk.AwsCdkConstructLibrary) {
  project.addTask('check:upstream-names', {
    description: 'Compile the library and a user of it against an aws-cdk-lib that has the members it may get',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/check-upstream-names.ts',
  });
  configureBuild(project);
  project.addTask('check', {
    description: 'Install the tools that the tests use, then build, lint and test everything',
    // With CI set, the build creates only the JavaScript package, since the other languages need their own toolchains (`npx projen package-all`).
    // Decision 0051 says why a test that fails has a second try.
    env: { CI: 'true', WORKBENCH_SECOND_TRY: '1' },
    steps: [
      { exec: 'bash scripts/install-tools.sh' },
      { spawn: 'build' },
    ],
  });
  const ignored = ['/node_modules/', '/lib/', "'/cdk\\.out/'", ...APART, ...Object.values(NOT_FAST).flat().map((file) => `/${file}`)];
  project.addTask('check:fast', {
    description: 'The loop of daily work: types, style and the tests that need no root, containers, browsers or other languages, in minutes',
    steps: [
      { spawn: 'embed-scripts' },
      { spawn: 'bundle' },
      { exec: atOnce(['eslint', 'typecheck', 'imports', 'prose']) },
      { exec: `bash scripts/in-memory.sh jest --ci --coverage=false --testPathIgnorePatterns ${ignored.join(' ')}` },
    ],
  });
  project.addTask('check:newest-cdk', {
    description: 'Compile and test against the newest aws-cdk-lib',
    exec: 'bash scripts/newest-cdk.sh',
  });
}
