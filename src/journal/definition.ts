/** A state, as far as it is looked into here. */
export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly QueryLanguage?: string;
  readonly Assign?: unknown;
  readonly ResultPath?: string | null;
  readonly TimeoutSeconds?: number;
  readonly TimeoutSecondsPath?: string;
  readonly HeartbeatSeconds?: number;
  readonly Retry?: unknown;
  readonly Catch?: readonly { readonly ResultPath?: string | null; readonly [field: string]: unknown }[];
  readonly Branches?: readonly Definition[];
  readonly Iterator?: Definition;
  readonly ItemProcessor?: Definition;
  readonly [field: string]: unknown;
}

/** The definition of a state machine. */
export interface Definition {
  readonly QueryLanguage?: string;
  readonly TimeoutSeconds?: number;
  readonly StartAt: string;
  readonly States: { readonly [name: string]: State };
  readonly [field: string]: unknown;
}
