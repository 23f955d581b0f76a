/** The reports of an agent in a run, added up. They come from the agent's session: for people to read, and never a reason to accept a change. */
export interface AgentRecord {
  /** The name of the agent. Missing if no turn was reported. */
  readonly name?: string;
  /** The version of its program. */
  readonly version?: string;
  /** The number of model calls in all turns. */
  readonly turns?: number;
  /** The tokens of all turns. */
  readonly usage?: {
    /** Tokens that were sent, without those that were read from or written to the provider's cache. */
    readonly inputTokens: number;
    /** Tokens that the model wrote. */
    readonly outputTokens: number;
    /** Tokens that were read from the provider's cache. */
    readonly cacheReadTokens?: number;
    /** Tokens that were written to the provider's cache. */
    readonly cacheWriteTokens?: number;
  };
  /** The cost of all turns in US dollars, as the program estimates it. */
  readonly costUsd?: number;
  /** The final message of the agent in the last turn that has one: at most 2,000 characters. Text that looks like a secret is masked. */
  readonly summary?: string;
  /** The turns that are not in these numbers, which are then too low. */
  readonly unreported?: {
    /** The number of these turns. */
    readonly turns: number;
    /** The reason for the last of them: it was lost, has no report, or one that cannot be read. */
    readonly reason: string;
  };
}
