import { awscdk } from 'projen';

export function configureDocs(project: awscdk.AwsCdkConstructLibrary) {
  project.addDevDeps('cspell-lib@^9', '@jsii/spec');

  const rosetta = project.addTask('rosetta', {
    description: 'Compile the code of README and docstrings',
    exec: 'jsii-rosetta extract --strict --compile .jsii',
  });
  const spelling = project.addTask('spelling', {
    description: 'Check the spelling of every public name',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/check-public-names.ts',
  });
  project.postCompileTask.spawn(rosetta);
  project.postCompileTask.spawn(spelling);
}
