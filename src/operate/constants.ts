/** Names, and the configuration of operational features, which synth and the driver share. */

import { Prices } from '../prices/constants';

/** The configuration of a loop's operational features. */
export interface OperateConfig {
  /** The place of the artifacts of runs: the keys of a run begin with the prefix, the name of the execution and a slash. */
  readonly artifacts?: { readonly bucket: string; readonly prefix: string };
  /** The name or the ARN of the event bus for the events of runs. */
  readonly events?: string;
  /** The limits of a run. */
  readonly budget?: BudgetConfig;
  /** The name of the SSM parameter that stops all runs while its value is `on`. */
  readonly brake?: string;
  /** The maximum number of runs of the loop at a time. */
  readonly maxConcurrentRuns?: number;
  /** The maximum time that a run waits for others to end, in seconds. Missing if it is refused immediately. */
  readonly queueSeconds?: number;
}

/** The limits of a run. Each is missing if there is no such limit. */
export interface BudgetConfig {
  /** The maximum number of turns. */
  readonly turns?: number;
  /** The maximum duration of all turns together, in seconds. */
  readonly agentSeconds?: number;
  /** The maximum duration of all sessions of the run together, in seconds. */
  readonly sessionSeconds?: number;
  /** The maximum cost of the run, in US dollars. */
  readonly usd?: number;
  /** Prices in place of the library's. */
  readonly prices?: Partial<Prices>;
}

/** The events of runs. */
export const RUN_EVENTS = {
  source: 'cdk-agentcore-workbench',
  types: { STARTED: 'CodingLoop Run Started', ROUND: 'CodingLoop Run Round', FINISHED: 'CodingLoop Run Finished' },
} as const;

/** The version of the details of these events. It changes if a field changes its meaning or is removed. */
export const RUN_EVENT_VERSION = 1;

/** The files of a run in its bucket, below `<prefix><execution name>/`. */
export const ARTIFACTS = {
  RECORD: 'record.json',
  STORY: 'story.txt',
  REPORT: 'report.html',
  PATCH: 'change.patch',
} as const;

/** The value of the brake's parameter that stops all runs. Any other value lets them run. */
export const BRAKE_ON = 'on';

/** Determines whether a value of the brake's parameter stops all runs. Case and surrounding space do not matter. */
export function isBrakeOn(value: string): boolean {
  return value.trim().toLowerCase() === BRAKE_ON;
}

/** The page with the runbook. The anchors are those of its headings. */
export const RUNBOOK_URL = 'https://github.com/cdk-agentcore-workbench/cdk-agentcore-workbench/blob/main/docs/operating.md';

/** The environment of the function that pulls a brake. */
export const BRAKE_ENVIRONMENT = { PARAMETER: 'WORKBENCH_BRAKE_PARAMETER' } as const;
