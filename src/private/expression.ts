import { Token } from 'aws-cdk-lib';

/** Determines whether a string is only known at run time: a token, a JSONPath or a JSONata expression. */
export function isExpression(value: string): boolean {
  return Token.isUnresolved(value) || /^\{%.*%\}$/s.test(value);
}
