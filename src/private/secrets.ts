import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Forms of secrets in templates and literals. The list is not complete: it catches the mistakes that people make. */
const SECRETS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\{\{resolve:secretsmanager:/, what: 'a value from Secrets Manager' },
  { pattern: /\{\{resolve:ssm-secure:/, what: 'a SecureString from Parameter Store' },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, what: 'an AWS access key' },
  { pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,}|glpat-[A-Za-z0-9_-]{20,})/, what: 'an access token of a git host' },
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, what: 'a private key' },
  { pattern: /\bsk-(?:ant-)?[A-Za-z0-9_-]{32,}/, what: 'an API key of a model provider' },
  { pattern: /\bhttps?:\/\/[^\s/:@]+:[^\s/@]+@/, what: 'a URL with a password' },
];

/**
 * Returns a fault for each prop whose value is a secret or resolves to one.
 *
 * The service logs commands, Step Functions keeps inputs, and many people can read a CloudFormation template: none of them may hold a secret.
 */
export function secretFaults(scope: IConstruct, values: { readonly [prop: string]: unknown }): string[] {
  return Object.entries(values).flatMap(([prop, value]) => {
    if (value === undefined) return [];
    const found = secretIn(JSON.stringify(Stack.of(scope).resolve(value)) ?? '');
    return found
      ? [`"${prop}" must not contain ${found}, which logs, states and the template would show: fetch it in the session `
        + 'with the runtime\'s execution role (grant it read access to the secret), or use a credential helper']
      : [];
  });
}

/** Returns what kind of secret a text contains, or nothing. The text is a literal: a token has to be resolved first. */
export function secretIn(text: string): string | undefined {
  return SECRETS.find(({ pattern }) => pattern.test(text))?.what;
}
