/** The estimated cost of a run. */
export interface CostRecord {
  /** The estimated AWS charges, in US dollars, without the model. */
  readonly usd: number;
  /** The cost of the model, in US dollars, that the program of the agent reports. It is not part of `usd`. Missing if no turn reported it. */
  readonly agentUsd?: number;
  /** The duration of the run's session, in seconds. */
  readonly sessionSeconds: number;
  /** The total duration of the sessions of verifications, in seconds. */
  readonly verificationSeconds: number;
  /** The total duration of the calls of the driver and the publisher, in seconds. */
  readonly functionSeconds: number;
  /** The estimated number of state transitions, without retries. */
  readonly transitions: number;
  /** The month or the day on which the prices were valid. */
  readonly pricesAsOf: string;
}

/** The location of a run's files. */
export interface ArtifactsRecord {
  /** The name of the bucket. */
  readonly bucket: string;
  /** The prefix of the keys of the run's files. */
  readonly prefix: string;
  /** The name of the error of the first file that the last step could not write, such as `AccessDenied`. The driver's log has all of them. */
  readonly error?: string;
}
