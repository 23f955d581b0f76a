/** The input of a run. */
export interface RehearsalInput {
  readonly prompt: string;
  /** @default - one of its own */
  readonly taskId?: string;
  readonly session?: {
    readonly id: string;
    readonly endpointName?: string;
    /** Merges what the repository has gained since into the workspace. @default false */
    readonly update?: boolean;
    /** Starts the branch of another task from that of the session's last one. @default false - it starts from the newest commit */
    readonly onTop?: boolean;
  };
  readonly repository?: { readonly url?: string; readonly ref?: string };
}
