import { awscdk } from 'projen';

/** The published name for each language. Built by `projen package-all`; in CI, only JavaScript is built. */
export const JSII_TARGETS = {
  publishToPypi: { distName: 'cdk-agentcore-workbench', module: 'cdk_agentcore_workbench' },
  publishToMaven: {
    javaPackage: 'io.github.cdkagentcoreworkbench',
    mavenGroupId: 'io.github.cdk-agentcore-workbench',
    mavenArtifactId: 'cdk-agentcore-workbench',
  },
  publishToNuget: { dotNetNamespace: 'CdkAgentcoreWorkbench', packageId: 'CdkAgentcoreWorkbench' },
  publishToGo: { moduleName: 'github.com/cdk-agentcore-workbench/cdk-agentcore-workbench-go' },
} satisfies Partial<awscdk.AwsCdkConstructLibraryOptions>;

const NOT_PUBLISHED = [
  '/.ci/', '/.dependency-cruiser.cjs', '/.textlintrc.json', '/CONTRIBUTING.md', '/benchmark/', '/docs/decisions/', '/examples/', '/integ/', '/projenrc/',
  '/rehearsal/*', '!/rehearsal/FEATURES.md', '/rosetta/', '/scripts/',
  '.jsii.tabl.json', '.rehearsal/', 'cdk.out/', '/.upstream-names-*/',
];

/** Settings for npm itself. */
export function configurePackaging(project: awscdk.AwsCdkConstructLibrary) {
  project.package.addField('overrides', {
    // 1.13.0 lists platform packages that were never published, so `npm ci` fails.
    'unrs-resolver': '1.12.2',
    // The plugin works with TypeScript 6; only its peer range is outdated.
    'eslint-plugin-awscdk': { typescript: '$typescript' },
  });
  // The Go module requires the version that is installed here: docs/decisions/0037.
  project.addDevDeps('@aws-cdk/cloud-assembly-schema@53.25.0');
  const writeIndex = project.addTask('write-index', {
    description: 'Write the index of the compiled library, which loads a class when it is first used',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/write-index.ts',
  });
  project.compileTask.spawn(writeIndex);
  configureTargets(project);
  for (const path of NOT_PUBLISHED) project.npmignore?.exclude(path);
  // The lock file must work behind any registry mirror.
  project.npmrc.addConfig('omit-lockfile-registry-resolved', 'true');
}

const IS_BUILT = 'ts-node --transpile-only --project tsconfig.dev.json scripts/is-built.ts';

/** Each `package:*` first builds what it packages unless that is up to date, as it is not in a fresh clone or after an edit. */
function configureTargets(project: awscdk.AwsCdkConstructLibrary) {
  const parts = project.addTask('package:parts', {
    description: 'Make what packages are made from, unless it is there and newer than its sources',
    condition: `! ${IS_BUILT} 2>/dev/null`,
    steps: ['embed-scripts', 'bundle', 'compile', 'bundle-rehearsal'].map((spawn) => ({ spawn })),
  });
  const translations = project.addTask('package:translations', {
    description: 'Translate the code of README and docstrings for other languages, unless that is done',
    condition: `! ${IS_BUILT} --translations 2>/dev/null`,
    steps: [{ spawn: 'rosetta' }],
  });

  for (const target of ['js', 'java', 'python', 'dotnet', 'go']) {
    const task = project.tasks.tryFind(`package:${target}`)!;
    if (target !== 'js') {
      // Inherited docs contain code of the CDK, for which there is no translation. By default this code would end up as TypeScript in the
      // docs of that language, without a warning.
      task.reset(`jsii-pacmak -v --target ${target} --rosetta-unknown-snippets translate`);
      task.prependSpawn(translations);
    }
    task.prependSpawn(parts);
  }
}
