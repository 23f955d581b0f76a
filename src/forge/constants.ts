/** The configuration of a forge, which the publisher receives in its environment: no secrets, only where they are. */
export type ForgeConfig =
  | {
    readonly kind: 'basic';
    /** The ARN of a secret with the password or token, or with JSON: `username` and `password`. */
    readonly secretArn: string;
    readonly username?: string;
    /** The ARN of a secret with a token that can only read; undefined if sessions clone without it. */
    readonly readSecretArn?: string;
  }
  | {
    readonly kind: 'github';
    /** The URL of the REST API. @default https://api.github.com */
    readonly baseUrl?: string;
    /** The ARN of a secret with the private key of the app (PEM), or with a token if there is no `app`. */
    readonly secretArn: string;
    readonly app?: { readonly appId: string; readonly installationId?: string };
    /** The ARN of a secret with a token that can only read, for tokens. An app makes one. */
    readonly readSecretArn?: string;
  }
  | {
    readonly kind: 'gitlab';
    /** The URL of the GitLab instance. @default https://gitlab.com */
    readonly baseUrl?: string;
    readonly secretArn: string;
    readonly readSecretArn?: string;
  };

/** Environment variables of the publisher. */
export const FORGE_ENVIRONMENT = {
  /** A `ForgeConfig` as JSON. */
  FORGE: 'WORKBENCH_FORGE',
  /** The patterns of the repositories that the credential may be sent to, as JSON. */
  REPOSITORIES: 'WORKBENCH_REPOSITORIES',
  /** The beginning of the names of branches that the publisher may push. */
  BRANCH_PREFIX: 'WORKBENCH_BRANCH_PREFIX',
  /** Certificates of authorities, in PEM. */
  CA_BUNDLE: 'WORKBENCH_CA_BUNDLE',
  /** The origin of a forge on this machine that stands for the real one, in a rehearsal and in tests. */
  LOCAL: 'WORKBENCH_LOCAL_FORGE',
} as const;

/**
 * The memory of the publisher, in MiB. A pack of 100 MB passes through it in pieces, of which some wait to be collected: 525 MiB were seen on a busy
 * machine.
 */
export const PUBLISHER_MEMORY_MEBIBYTES = 1_024;
