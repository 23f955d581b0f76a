import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** Where a task's result goes, with JSONPath. */
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

/** What a task's output is, with JSONata. */
export interface JsonataResultProps extends sfn.JsonataCommonOptions, sfn.AssignableStateOptions {}
