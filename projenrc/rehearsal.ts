import { awscdk } from 'projen';

const DIST = 'rehearsal-dist';

/** The rehearsal goes into the package as bundles beside the library: jsii does not see it, its dependencies are in it. */
export function configureRehearsal(project: awscdk.AwsCdkConstructLibrary) {
  project.addDevDeps('playwright-core@^1.61'); // drives Debian's chromium in the test of the report
  // Tests rehearse on a shell library, with its own test tool.
  project.addDevDeps('bats@^1.13', 'bats-support@^0.3');

  const bundle = project.addTask('bundle-rehearsal', {
    description: 'Bundle the rehearsal: the command line and the subpath export',
    exec: 'ts-node --transpile-only --project tsconfig.dev.json scripts/bundle-rehearsal.ts',
  });
  project.postCompileTask.spawn(bundle);
  project.gitignore.exclude(`/${DIST}/`);
  project.package.addBin({ 'cdk-agentcore-workbench': `${DIST}/cli.js` });

  const types = `./${DIST}/types/rehearsal/index.d.ts`;
  project.package.addField('exports', {
    '.': { types: './lib/index.d.ts', default: './lib/index.js' },
    './rehearsal': { types, default: `./${DIST}/index.js` },
    './package.json': './package.json',
    // What jsii's tools read of a dependency.
    './.jsii': './.jsii',
    './.warnings.jsii.js': './.warnings.jsii.js',
  });
  // For compilers that know nothing of "exports".
  project.package.addField('typesVersions', { '*': { rehearsal: [types] } });
}
