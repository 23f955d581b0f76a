import { awscdk, JsonFile } from 'projen';

/** Code that runs in a Lambda function or in a session. Everything else in `src/` runs at synth. */
const HANDLERS = ['./src/jobs/**', './src/handler/**', './src/loop/steps/**', './src/rollout/handler/**', './src/forge/publish/**', './src/agent/runner/**', './src/journal/**', './src/**/*.lambda.ts'];
const SYNTH = ['./src/*.ts', './src/@(coding-agent|dashboard|image|mount|private|runtime|tasks)/**', './src/@(agent|driver|forge|loop|operate|rollout)/!(*.lambda).ts'];

/** Files that both sides import: names, limits, rules, and plain functions for git's names and shell words. */
const SHARED = ['**/constants.ts', '**/git-names.ts', '**/quote.ts', '**/rule.ts'];

/** Pages in Markdown. */
const PAGES = ['README.md', 'CONTRIBUTING.md', '"docs/**/*.md"', '"examples/*/README.md"', 'benchmark/README.md', 'rehearsal/FEATURES.md'];

export function configureLint(project: awscdk.AwsCdkConstructLibrary) {
  const eslint = project.eslint!;
  project.addDevDeps('eslint-plugin-awscdk@^4.2.1', 'eslint-plugin-jest', 'eslint-plugin-jsdoc@^61', 'dependency-cruiser@^17', 'textlint@^15');

  const imports = project.addTask('imports', {
    description: 'Check that no files import each other in a circle, by the rules of .dependency-cruiser.cjs',
    exec: 'depcruise src rehearsal test integ examples benchmark scripts projenrc',
  });
  project.testTask.spawn(imports);
  new JsonFile(project, '.textlintrc.json', { obj: { rules: { 'plain-english': true } }, marker: false });
  const prose = project.addTask('prose', {
    description: 'Check the English of all pages, by the rule in scripts/prose',
    exec: `textlint --rulesdir scripts/prose ${PAGES.join(' ')}`,
  });
  project.testTask.spawn(prose);

  eslint.addPlugins('awscdk');
  eslint.addRules({
    'import/no-restricted-paths': ['error', {
      zones: [
        { target: './src', from: './rehearsal', message: 'the library never needs its rehearsal' },
        { target: SYNTH, from: HANDLERS, except: SHARED, message: 'runs in a Lambda function; names and limits of both sides stand in constants.ts' },
        { target: HANDLERS, from: SYNTH, except: SHARED, message: 'runs at synth; names and limits of both sides stand in constants.ts' },
        { target: HANDLERS, from: './node_modules/aws-cdk-lib/**', message: 'a handler must not bundle the CDK' },
      ],
    }],
    // A bitmask is the plainest way to inspect a byte of UTF-8.
    'no-bitwise': 'off',
    'max-lines': ['error', { max: 300 }],
    '@typescript-eslint/no-explicit-any': 'error',
    '@stylistic/max-len': ['error', { code: 150, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
  });
  eslint.addPlugins('jsdoc');
  eslint.addOverride({
    files: ['src/**/*.ts', 'rehearsal/**/*.ts'],
    rules: {
      'jsdoc/match-description': ['error', {
        contexts: ['any'],
        matchDescription: '^(?!(Of|For|Whether|What|Where|When|Why|How|As|That|Who) )[\\s\\S]*',
        message: 'a docstring begins with a noun or a verb: "The timeout of …", "Returns …", "Determines whether …"',
      }],
    },
  } as never);
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
    // Bundled into the handlers' assets: users need not install what they import.
    files: HANDLERS.map((glob) => glob.replace('./', '')),
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
