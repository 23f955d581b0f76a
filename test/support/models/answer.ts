import type { Action, Failure, Reply, Tokens } from './script';
import { TOKENS } from './script';

export type Block = { readonly type: 'text'; readonly text: string } | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly input: unknown };

/** The end of an answer: complete, or interrupted after its blocks. */
export type End =
  | { readonly type: 'complete' | 'refuse' | 'hang' | 'cut' }
  | { readonly type: 'fail'; readonly failure: Failure; readonly retryAfter?: number };

/** The answer of the script, ready for a wire. */
export interface Answer {
  readonly id: string;
  readonly blocks: readonly Block[];
  readonly tokens: Tokens;
  readonly end: End;
}

let serial = 0;

/** Returns an ID that no other answer of this process has, as long as those of the providers. */
export function newId(prefix: string): string {
  serial += 1;
  return `${prefix}${serial.toString().padStart(24, '0')}`;
}

export function answerOf(reply: Reply): Answer {
  const actions = Array.isArray(reply) ? reply as readonly Action[] : [reply as Action];
  const blocks: Block[] = [];
  let counts = TOKENS;
  let end: End = { type: 'complete' };
  for (const action of actions) {
    switch (action.type) {
      case 'say':
        blocks.push({ type: 'text', text: action.text });
        break;
      case 'call':
        blocks.push({ type: 'toolCall', id: newId(''), name: action.name, input: action.input });
        break;
      case 'tokens':
        counts = { ...counts, ...action.tokens };
        break;
      default:
        end = action;
    }
  }
  return { id: newId(''), blocks, tokens: counts, end };
}

/** Cuts a text into pieces as a stream of a model does, never within a character. */
export function pieces(text: string, size = 40): string[] {
  // Long texts come in larger pieces: the number of events stays bounded.
  const characters = Array.from(text);
  const step = Math.max(size, Math.ceil(characters.length / 2_000));
  return Array.from({ length: Math.ceil(characters.length / step) }, (_, index) => characters.slice(index * step, (index + 1) * step).join(''));
}
