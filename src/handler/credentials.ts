import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Takes the place of `@aws-sdk/credential-provider-node` in the bundles of our handlers.
 *
 * Lambda gives a function its role's credentials in the environment, and nowhere else. The provider that the SDK looks
 * for would bring the clients of SSO, STS and the instance metadata service: a quarter of the bundle, never used.
 */
export const defaultProvider: typeof fromEnv = fromEnv;
