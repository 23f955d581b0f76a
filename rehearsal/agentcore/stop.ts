import { DataPlane, sessionOf, strikeBeforeStart } from './data-plane';
import { Exchange, SESSION_HEADER } from './exchange';
import { strikeBeforeReply } from './reply';

/** StopRuntimeSession. Answers when nothing of the microVM is left. */
export async function stopSession(exchange: Exchange, plane: DataPlane): Promise<void> {
  const session = sessionOf(exchange, plane, true);
  await strikeBeforeStart(exchange);
  await session.stop();
  await strikeBeforeReply(exchange);
  exchange.json(200, {}, { [SESSION_HEADER]: session.key.sessionId });
}
