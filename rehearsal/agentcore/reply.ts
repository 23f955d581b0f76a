import { ServiceError, StreamCut } from './errors';
import type { Exchange } from './exchange';

/** A fault between what an operation has done and its reply, of an operation that does not stream. */
export async function strikeBeforeReply(exchange: Exchange): Promise<void> {
  const fault = exchange.strike('beforeEnd');
  if (fault?.error) {
    throw new ServiceError(fault.error, `injected: ${fault.spec.kind}`);
  }
  if (fault) {
    await (fault.spec.kind === 'hang' ? exchange.hang() : exchange.reset());
    throw new StreamCut();
  }
}
