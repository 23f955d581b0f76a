/** What a run is asked for; everything else has a default. */
export interface RehearsalInput {
  readonly prompt: string;
  /** @default - one of its own */
  readonly taskId?: string;
  readonly session?: {
    readonly id: string;
    readonly endpointName?: string;
    /** Whether the workspace gets what the repository has got since. @default false */
    readonly update?: boolean;
    /** Whether the branch of another task starts from that of the last one in the session. @default false - from the newest commit */
    readonly onTop?: boolean;
  };
  readonly repository?: { readonly url?: string; readonly ref?: string };
}
