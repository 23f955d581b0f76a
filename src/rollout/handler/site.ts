import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { ControlPlane } from './control-plane';
import { Executions } from './executions';
import { Clock } from '../../handler/clock';

/** What is logged: names, versions and states, never a command's output and never the event. */
export interface RolloutLog {
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
}

/** All that a step of a rollout works with. */
export interface Site {
  readonly control: ControlPlane;
  readonly sessions: BedrockAgentCoreClient;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly log: RolloutLog;
  /** Milliseconds since the epoch at which the step has to be over. */
  readonly until: number;
  readonly backoffSeconds: number;
}

/** What a rollout hands out. */
export interface Live {
  readonly name: string;
  readonly version: string;
}

/** Where a rollout is. */
export interface Progress {
  /** What comes next, for the error if it never comes; absent when all is done. */
  readonly waitingFor?: string;
  /** The endpoint that has passed. From here on nothing fails any more. */
  readonly live?: Live;
}

export const DONE: Progress = {};
