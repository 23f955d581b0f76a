import { awscdk } from 'projen';

/** One zone of the layout in docs: files of `target` may not import from `from`. */
function zone(target: string, from: string, message: string, except?: string[]) {
  return { target: `./${target}`, from: `./${from}`, message, ...(except ? { except } : {}) };
}

export function configureLint(project: awscdk.AwsCdkConstructLibrary) {
  const eslint = project.eslint!;
  project.addDevDeps('eslint-plugin-awscdk@^4.2.1', 'eslint-plugin-jest');

  eslint.addPlugins('awscdk');
  eslint.addRules({
    'import/no-restricted-paths': ['error', {
      zones: [
        zone('src', 'rehearsal', 'the library never needs its rehearsal'),
        zone('src/shared', 'src/private', 'shared/ runs in handlers, private/ at synth'),
        zone('src/private', 'src/shared', 'private/ runs at synth, shared/ in handlers'),
        zone('src/**/!(*.lambda|*.client).ts', 'src/**/*.@(lambda|client).ts', 'only *.lambda.ts and *.client.ts run in a handler'),
        zone('src/**/*.@(lambda|client).ts', 'src/**/!(*.lambda|*.client|*.generated).ts', 'runs at synth; what both sides need stands in constants.ts', [
          '**/constants.ts',
          '**/git-names.ts', // rules of git for names, as plain functions, which both sides ask
        ]),
        zone('src/**/*.@(lambda|client).ts', 'node_modules/aws-cdk-lib', 'a handler must not bundle the CDK'),
      ],
    }],
    // A bitmask is the plain way to look at a byte of UTF-8.
    'no-bitwise': 'off',
    'max-lines': ['error', { max: 300 }],
    '@typescript-eslint/no-explicit-any': 'error',
    '@stylistic/max-len': ['error', { code: 150, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
  });
  eslint.addOverride({
    files: ['src/**/*.ts'],
    rules: {
      'awscdk/no-construct-stack-suffix': 'error',
      'awscdk/no-mutable-property-of-props-interface': 'error',
      'awscdk/no-mutable-public-property-of-construct': 'error',
      'awscdk/no-parent-name-construct-id-match': 'error',
      'awscdk/no-unused-props': 'error',
      'awscdk/no-variable-construct-id': 'error',
      'awscdk/pascal-case-construct-id': 'error',
      'awscdk/props-name-convention': 'error',
      'awscdk/require-jsdoc': 'error',
      'awscdk/require-props-default-doc': 'error',
    },
  });
  eslint.addOverride({
    // Bundled into the handlers' assets: what they import need not be installed by users.
    files: ['src/**/*.@(lambda|client).ts'],
    rules: { 'import/no-extraneous-dependencies': ['error', { devDependencies: true }] },
  });
  eslint.addOverride({
    files: ['test/**/*.ts'],
    plugins: ['jest'],
    rules: {
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect*', '**.expect*', 'fc.assert', '**.has*', '**.resource*', 'assert*'] }],
      'jest/no-conditional-expect': 'error',
      'jest/no-focused-tests': 'error',
      'jest/no-disabled-tests': 'error',
      'jest/no-identical-title': 'error',
      'jest/valid-expect': 'error',
    },
  } as never);
}
