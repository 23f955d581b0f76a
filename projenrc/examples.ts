import { awscdk } from 'projen';

export function configureExamples(project: awscdk.AwsCdkConstructLibrary) {
  const examples = project.addTask('examples', {
    description: 'Synthesize every app in examples/',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/synth-examples.ts',
    receiveArgs: true,
  });
  project.testTask.spawn(examples);

  // Not a projen task, which would turn every exit code into 1.
  project.package.setScript('rehearse', 'ts-node --transpile-only --project tsconfig.dev.json scripts/rehearse.ts');
}
