import { awscdk } from 'projen';

const DIST = 'rehearsal-dist';

/** The package contains the rehearsal as bundles next to the library: jsii does not see it, and its dependencies are bundled. */
export function configureRehearsal(project: awscdk.AwsCdkConstructLibrary) {
  project.addDevDeps('playwright-core@^1.61'); // drives Debian's Chromium in the test of the report
  // Tests rehearse a library for shells, with its own test tool.
  project.addDevDeps('bats@^1.13', 'bats-support@^0.3');

  const bundle = project.addTask('bundle-rehearsal', {
    description: 'Bundle the rehearsal: the command line and the subpath export',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/bundle-rehearsal.ts',
  });
  project.postCompileTask.spawn(bundle);
  project.gitignore.exclude(`/${DIST}/`);
  project.package.addBin({ 'cdk-agentcore-workbench': `${DIST}/cli.js` });

  project.addTask('github-openapi', {
    description: 'Write the part of GitHub\'s description of its API that tests compare requests and answers with',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/github-openapi.ts',
  });

  const types = `./${DIST}/types/rehearsal/index.d.ts`;
  project.package.addField('exports', {
    '.': { types: './lib/index.d.ts', default: './lib/index.js' },
    './rehearsal': { types, default: `./${DIST}/index.js` },
    './schema/*': './schema/*',
    './package.json': './package.json',
    // Files of a dependency that jsii's tools read.
    './.jsii': './.jsii',
    './.warnings.jsii.js': './.warnings.jsii.js',
  });
  // For compilers that do not support "exports".
  project.package.addField('typesVersions', { '*': { rehearsal: [types] } });
}
