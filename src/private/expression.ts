import { Token } from 'aws-cdk-lib';

/** Whether a string is decided at run time: a token, a path of JSONPath, or a JSONata expression. */
export function isExpression(value: string): boolean {
  return Token.isUnresolved(value) || /^\{%.*%\}$/s.test(value);
}
