import { awscdk } from 'projen';

export function configureExamples(project: awscdk.AwsCdkConstructLibrary) {
  const examples = project.addTask('examples', {
    description: 'Synthesize every app in examples/',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/synth-examples.ts',
    receiveArgs: true,
  });
  project.testTask.spawn(examples);

  project.addTask('rehearse', {
    description: 'Synthesize the example of a persistent workspace, and say where its template is',
    env: { CDK_OUTDIR: 'cdk.out/persistent-workspace' },
    steps: [
      { exec: 'ts-node --transpile-only --project tsconfig.dev.json examples/persistent-workspace/app.ts' },
      { exec: 'echo "the template is $CDK_OUTDIR/PersistentWorkspace.template.json"' },
    ],
  });
}
