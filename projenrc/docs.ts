import { awscdk } from 'projen';

export function configureDocs(project: awscdk.AwsCdkConstructLibrary) {
  project.addDevDeps('cspell-lib@^9', '@jsii/spec');

  const rosetta = project.addTask('rosetta', {
    description: 'Compile the code of README and docstrings',
    exec: 'jsii-rosetta extract --strict --compile .jsii',
  });
  rosetta.exec('ts-node --transpile-only --project tsconfig.dev.json scripts/escape-python-keywords.ts');
  const spelling = project.addTask('spelling', {
    description: 'Check the spelling of every public name',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/check-public-names.ts',
  });
  const pictures = project.addTask('docs:pictures', {
    description: 'Draw the pictures of state machines in docs/ from their definitions',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/draw-pictures.ts',
  });
  const run = project.addTask('docs:run', {
    description: 'Write the page of a run\'s input and record from their types and rules',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/write-run-page.ts',
  });
  const schema = project.addTask('docs:schema', {
    description: 'Write the JSON Schemas of the record and the description of a run from their types',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/write-schemas.ts',
  });
  const decisions = project.addTask('docs:decisions', {
    description: 'Write the list of decisions in docs/decisions from their titles',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/list-decisions.ts',
  });
  const folders = project.addTask('docs:folders', {
    description: 'Draw which folder imports which, in docs/architecture.md',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/draw-folders.ts',
  });
  project.addTask('docs:report', {
    description: 'Draw the pictures of a report in docs/, which differ each time; needs chromium',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/draw-report.ts',
  });
  project.postCompileTask.spawn(rosetta);
  project.postCompileTask.spawn(run);
  project.postCompileTask.spawn(schema);
  project.postCompileTask.spawn(decisions);
  project.postCompileTask.spawn(folders);
  project.postCompileTask.spawn(pictures);
  project.postCompileTask.spawn(spelling);
}
