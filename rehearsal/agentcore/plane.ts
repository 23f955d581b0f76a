import type { DataPlane } from './data-plane';
import type { Exchange } from './exchange';
import type { Registry } from './registry';
import type { Workspaces } from './workspaces';

/** Everything an operation may need of the server. */
export interface Plane extends DataPlane {
  readonly registry: Registry;
  readonly workspaces: Workspaces;
  /** Replies of the control plane by operation and client token. */
  readonly replies: Map<string, unknown>;
}

export type Operation = (exchange: Exchange, plane: Plane, parameters: Readonly<Record<string, string>>) => Promise<void> | void;
