/** The estimated cost of a run. */
export interface CostRecord {
  /** The charges of AWS in US dollars, without the model. */
  readonly usd: number;
  /** The cost of the model in US dollars, as the program of the agent reports it. It is not part of `usd`. Missing if no turn reported it. */
  readonly agentUsd?: number;
  /** The duration of the run's session, in seconds. */
  readonly sessionSeconds: number;
  /** The duration of the sessions of verifications, in seconds. */
  readonly verificationSeconds: number;
  /** The duration of calls of the driver and the publisher, in seconds. */
  readonly functionSeconds: number;
  /** The number of state transitions, as the driver estimates it. */
  readonly transitions: number;
  /** The month or the day of the prices. */
  readonly pricesAsOf: string;
}

/** The place of a run's files. */
export interface ArtifactsRecord {
  /** The name of the bucket. */
  readonly bucket: string;
  /** The beginning of the keys of the run's files. */
  readonly prefix: string;
  /** The name of the error of the first file that the last step could not write, such as `AccessDenied`. The driver's log has all of them. */
  readonly error?: string;
}
