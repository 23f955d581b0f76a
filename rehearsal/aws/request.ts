/** A request to a service of AWS. */
export interface AwsRequest {
  /** The service and the operation, as the header `x-amz-target` names them; undefined for services that name them by the path. */
  readonly target?: string;
  readonly method: string;
  /** The path, with the query. */
  readonly path: string;
  /** The header `x-amz-invocation-type`. */
  readonly invocationType?: string;
  /** All headers, by their names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface AwsReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** It is sent as JSON; a buffer as it is; undefined for no body. */
  readonly body?: unknown;
  /** It is sent as it is, in place of a body. */
  readonly bytes?: Buffer;
}

/** Returns why the sender of a request is not allowed to do it. */
export type RefusalOf = (action: string, resource: string) => string | undefined;
