/** Limits of the service, from its public documentation and models in autumn 2026. */
export const LIMITS = {
  /** Characters of a session id. */
  sessionId: { min: 33, max: 256 },
  /** Bytes of a command. The model counts characters, the quotas say 64 KB: the stricter holds here. */
  command: { min: 1, max: 65_536 },
  /** Seconds a command may run. */
  commandTimeout: { min: 1, max: 3_600, default: 300 },
  /** Bytes of stdout and stderr of one command. */
  commandOutput: 100 * 1024 * 1024,
  /** Bytes of one message of an event stream. */
  streamEvent: 64 * 1024,
  /** Bytes of an invocation's payload. */
  payload: 100_000_000,
  /** Seconds a reply that is not streamed may take. */
  syncInvoke: 15 * 60,
  /** Seconds a streamed reply may take. */
  streamingInvoke: 60 * 60,
  /** Seconds until the agent has to answer its first ping. */
  initialization: 60,
  /** Seconds. */
  idleTimeout: { min: 60, max: 28_800, default: 900 },
  maxLifetime: { min: 60, max: 28_800, default: 28_800 },
  /** Days without an invocation after which session storage is emptied. */
  workspaceDays: 14,
  workspaceBytes: 1024 ** 3,
  /** The lower end of the documented range (100,000 to 200,000). */
  workspaceFiles: 100_000,
  workspaceDepth: 200,
  endpointsPerRuntime: 10,
  versionsPerRuntime: 1_000,
} as const;
