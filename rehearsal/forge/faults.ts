/**
 * The requests of a forge.
 * - `list`, `fetch`: the references, and the objects, of a clone or a fetch
 * - `announce`, `push`: the references before a push, and the push
 * - `api`: a request to the REST or the GraphQL API
 */
export type ForgeOperation = 'list' | 'fetch' | 'announce' | 'push' | 'api';

/**
 * The point in a request at which a fault strikes.
 * - `beforeStart`: the request has arrived, and nothing is done
 * - `midRequest`: after `afterBytes` of its body, such as in the middle of a pack
 * - `beforeReply`: the work is done, but nothing of the reply is sent
 * - `midReply`: after `afterBytes` of the reply
 * - `afterReply`: the work is done, and the end of the reply is not sent until the fault has struck: the client's next request comes after it
 */
export type ForgeFaultPoint = 'beforeStart' | 'midRequest' | 'beforeReply' | 'midReply' | 'afterReply';

/**
 * - `reset`: the connection is reset
 * - `hang`: nothing more is read or sent, and the connection stays open
 * - `end`: the reply ends as if it were complete
 * - a number: the HTTP status of the reply
 * - `expireToken`: the token of the request expires
 * - `moveBranch`: somebody else pushes to the branch `branch`, which they make if there is none
 * - `deleteBranch`: somebody else deletes the branch `branch`
 */
export type ForgeFaultKind = 'reset' | 'hang' | 'end' | number | 'expireToken' | 'moveBranch' | 'deleteBranch';

export interface ForgeFaultSpec {
  readonly operation: ForgeOperation;
  readonly at: ForgeFaultPoint;
  readonly kind: ForgeFaultKind;
  /** @default 1 */
  readonly times?: number;
  /** Bytes that are passed on before a fault in the middle. @default 1 */
  readonly afterBytes?: number;
  /** The branch of `moveBranch` and `deleteBranch`. */
  readonly branch?: string;
  /** Seconds of the header `retry-after` of a status. @default - no such header */
  readonly retryAfter?: number;
  /** Only requests that match, such as `POST /octo/shop.git/git-receive-pack`. @default - every request of the operation */
  readonly match?: (request: string) => boolean;
}

export class ForgeFault {
  fired = 0;

  constructor(readonly spec: ForgeFaultSpec) {}
}

/** Faults that wait for their request. */
export class ForgeFaults {
  private readonly waiting: ForgeFault[] = [];

  /** Returns the fault, which counts how often it struck. */
  add(spec: ForgeFaultSpec): ForgeFault {
    const reason = refusal(spec);
    if (reason !== undefined) throw new Error(`fault '${spec.kind}' at '${spec.at}' of '${spec.operation}' cannot happen: ${reason}`);
    const fault = new ForgeFault(spec);
    this.waiting.push(fault);
    return fault;
  }

  clear(): void {
    this.waiting.length = 0;
  }

  /** Returns the fault that strikes a request now, if any; it is used up by this. */
  strike(operation: ForgeOperation, request: string, at: ForgeFaultPoint): ForgeFault | undefined {
    const fault = this.waiting.find(({ spec, fired }) => spec.operation === operation && spec.at === at
      && fired < (spec.times ?? 1) && (spec.match?.(request) ?? true));
    if (fault !== undefined) fault.fired += 1;
    return fault;
  }
}

function refusal({ operation, at, kind, branch }: ForgeFaultSpec): string | undefined {
  const isStatus = typeof kind === 'number';
  if (isStatus && (!Number.isInteger(kind) || kind < 400 || kind > 599)) return 'a status of an error is from 400 to 599';
  if (isStatus && at !== 'beforeStart' && at !== 'beforeReply') return 'the status is sent first';
  if (kind === 'end' && at !== 'midReply') return 'only a reply that has begun can end early';
  if (at === 'midRequest' && (operation === 'list' || operation === 'announce')) return 'the request has no body';
  if ((kind === 'moveBranch' || kind === 'deleteBranch') !== (branch !== undefined)) return '"branch" says which branch is moved or deleted, and goes with nothing else';
  const isEvent = kind === 'expireToken' || kind === 'moveBranch' || kind === 'deleteBranch';
  if (isEvent && (at === 'midRequest' || at === 'midReply')) return 'it happens before or after the work';
  return at === 'afterReply' && !isEvent ? 'the reply is complete' : undefined;
}
