/** Runs of state machines. */
export interface Executions {
  /** The ARN of a run that is under way and names this endpoint, in its definition or its input; `undefined` if there is none. */
  using(stateMachineArns: readonly string[], endpointName: string): Promise<string | undefined>;
}
