import { awscdk } from 'projen';

/** Tests of the packages for other languages; each needs its package. */
export const LANGUAGES = '/test/languages/';

/**
 * Adds a task for each language with a package test: the task builds the package, installs it into an empty folder, and uses it there. Python
 * is part of the tests; Go compiles the whole CDK, and needs a newer Go than Debian has, so it runs nightly.
 */
export function configureLanguages(project: awscdk.AwsCdkConstructLibrary) {
  const python = taskFor(project, 'python', 'Python');
  taskFor(project, 'go', 'Go');
  project.testTask.spawn(python);
}

function taskFor(project: awscdk.AwsCdkConstructLibrary, target: string, language: string) {
  return project.addTask(target, {
    description: `Make the package for ${language}, install it into an empty folder, and use it there`,
    steps: [
      { spawn: 'package:js' },
      { spawn: `package:${target}` },
      { exec: `jest --ci --coverage=false --testPathIgnorePatterns=/node_modules/ -- ${LANGUAGES.slice(1)}${target}.test.ts` },
    ],
  });
}
