import { awscdk } from 'projen';

/** Tests of the packages for other languages, each of which has to be made before. */
export const LANGUAGES = '/test/languages/';

/**
 * A task for each language whose package is tried: it makes the package, installs it into an empty folder, and uses it there. Python is a part
 * of the tests; Go compiles the whole CDK, and needs a newer Go than Debian has, so that it is tried each night.
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
