/**
 * Rules for imports, checked by `npx projen imports`. ESLint's `import/no-restricted-paths` keeps code that runs at synth and code that runs
 * in handlers apart; its `import/no-cycle` takes three quarters of ESLint's time, and does not see imports of types only.
 */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Files that import each other, if only for types, cannot be read one at a time: move what both need to a file of its own',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^(src|rehearsal|test|integ|examples|benchmark|scripts|projenrc)/',
    tsConfig: { fileName: 'tsconfig.dev.json' },
    tsPreCompilationDeps: true, // imports of types too
  },
};
