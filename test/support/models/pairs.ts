import type { Message, Part } from './script';
import { invalid } from './wire';

interface Messages {
  open(index: number, ids: readonly string[]): string;
  stray(index: number, id: string): string;
}

/** Throws unless each call is answered in the user's next message, and only there. */
export function checkPairs(messages: readonly Message[], say: Messages): void {
  messages.forEach(({ parts }, index) => {
    const results = ids(messages[index + 1]?.parts ?? [], 'toolResult');
    const open = ids(parts, 'toolCall').filter((id) => !results.includes(id));
    if (open.length > 0) {
      invalid(say.open(index, open));
    }
    const calls = ids(messages[index - 1]?.parts ?? [], 'toolCall');
    const stray = ids(parts, 'toolResult').find((id) => !calls.includes(id));
    if (stray !== undefined) {
      invalid(say.stray(index, stray));
    }
  });
}

/** Returns the messages with neighbours of one role joined, as providers do that allow them. */
export function joined(messages: readonly Message[]): Message[] {
  const found: Message[] = [];
  for (const { role, parts } of messages) {
    const last = found.at(-1);
    if (last?.role === role) {
      found[found.length - 1] = { role, parts: [...last.parts, ...parts] };
    } else {
      found.push({ role, parts });
    }
  }
  return found;
}

function ids(parts: readonly Part[], type: 'toolCall' | 'toolResult'): string[] {
  return parts.flatMap((part) => part.type === type ? [part.id] : []);
}
