import { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { CodingLoopProps } from './coding-loop-props';
import { Verification } from './verification';
import { SessionDriver } from '../driver/session-driver';

/** The resources that a dashboard of a loop reads, in addition to the metrics of the loop. */
export interface LoopSources {
  /** The runtimes of its sessions: the agent's, and that of the verification if it is another one. */
  readonly runtimes: readonly IBedrockAgentRuntime[];
  /** The log groups of its functions: the driver's, and the publisher's if there is one. */
  readonly logGroups: readonly logs.ILogGroup[];
}

/** Returns the sources of what people see of a loop. */
export function loopSources(
  { runtime, verification = Verification.inFreshSession() }: CodingLoopProps, driver: SessionDriver, publisher?: lambda.IFunction,
): LoopSources {
  const other = verification._runtime;
  return {
    runtimes: [runtime, ...other === undefined || other === runtime ? [] : [other]],
    logGroups: [driver.logGroup, ...publisher instanceof lambda.Function ? [publisher.logGroup] : []],
  };
}
