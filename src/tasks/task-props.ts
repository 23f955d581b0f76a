import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/**
 * Props for the result of a task that uses JSONPath.
 *
 * @internal
 */
export interface JsonPathResultProps extends sfn.JsonPathCommonOptions, sfn.AssignableStateOptions {
  /**
   * Where the result is put into the input, or `JsonPath.DISCARD`.
   *
   * @default - the result replaces the input
   */
  readonly resultPath?: string;

  /**
   * Picks from the result, before `resultPath`.
   *
   * @default - the whole result
   */
  readonly resultSelector?: { [key: string]: unknown };
}

/**
 * Props for the result of a task that uses JSONata.
 *
 * @internal
 */
export interface JsonataResultProps extends sfn.JsonataCommonOptions, sfn.AssignableStateOptions {}
