type Core = typeof import('@octokit/core', { with: { 'resolution-mode': 'import' } });
type AppAuth = typeof import('@octokit/auth-app', { with: { 'resolution-mode': 'import' } });

export type Octokit = InstanceType<Core['Octokit']>;

/**
 * Octokit's packages are ES modules, and this library is CommonJS. Loading them by `require` works everywhere that this file runs: esbuild bundles
 * it, Node.js 20.19 and later evaluate an ES module for it, and jest transforms the packages. `import()` would need a flag in jest.
 *
 * They are loaded by the first client, not with the module: other forges do not need them.
 */
/* eslint-disable @typescript-eslint/no-require-imports -- Octokit has ES modules only, which Jest loads by require() after translating them */
export const loadCore = () => require('@octokit/core') as Core;
export const loadAppAuth = () => require('@octokit/auth-app') as AppAuth;
/* eslint-enable @typescript-eslint/no-require-imports */
