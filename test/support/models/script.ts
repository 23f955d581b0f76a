/** The wire formats that the server speaks. */
export type Wire = 'anthropic' | 'bedrock-invoke' | 'bedrock-converse' | 'openai-responses' | 'openai-chat';

export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'toolResult'; readonly id: string; readonly text: string; readonly isError: boolean };

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly parts: readonly Part[];
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** The JSON schema of its input. Tools without one take plain text, such as the custom tools of OpenAI. */
  readonly schema?: unknown;
  /** The namespace of OpenAI's wire that the tool is in. */
  readonly namespace?: string;
}

/** What the parser of a wire finds in the body of a request. */
export interface Conversation {
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
}

/** One request of the model, in the same terms for all wires. */
export interface Turn extends Conversation {
  readonly wire: Wire;
  /** The text of the user's last message, without results of tools. */
  readonly lastUserText: string;
  /** The results of tools since the model's last answer. */
  readonly toolResults: readonly Extract<Part, { type: 'toolResult' }>[];
  /** The number of this call: 1 for the first of its kind. Calls of the script and side calls count on their own. */
  readonly callNumber: number;
  /** The body as it was sent. */
  readonly body: unknown;
}

export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** The tokens of each answer, unless the script says otherwise. */
export const TOKENS: Tokens = { input: 1_000, output: 50, cacheRead: 200, cacheWrite: 100 };

export const FAILURES = [
  /** Too many requests. */
  'rateLimit',
  /** No credit is left, or a quota is used up. */
  'quota',
  /** The provider has no capacity. */
  'overloaded',
  /** The credentials are wrong. */
  'unauthorized',
  /** The credentials were good once. */
  'expired',
  /** The model exists, and the account or the role may not use it. */
  'modelNotAllowed',
  /** No such model. */
  'modelUnknown',
  /** The model was there once. */
  'modelRetired',
  /** The model takes requests through an inference profile only. */
  'profileNeeded',
  /** The conversation is longer than the context window. */
  'contextFull',
  /** The request is wrong in another way. */
  'invalid',
  /** The provider's own fault. */
  'internal',
] as const;
export type Failure = typeof FAILURES[number];

export type Action =
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'call'; readonly name: string; readonly input: unknown }
  | { readonly type: 'tokens'; readonly tokens: Partial<Tokens> }
  | { readonly type: 'fail'; readonly failure: Failure; readonly retryAfter?: number }
  | { readonly type: 'refuse' | 'hang' | 'cut' };

/**
 * The answer to one request: what the model says and calls, in this order. A failure, a hang or a cut comes after what stands before it: alone
 * it takes the place of the answer, later it interrupts the stream.
 */
export type Reply = Action | readonly Action[];
export type Script = (turn: Turn) => Reply | Promise<Reply>;

export const say = (text: string): Action => ({ type: 'say', text });
/** The input is an object, or a text for tools that take plain text. */
export const call = (name: string, input: unknown): Action => ({ type: 'call', name, input });
export const tokens = (counts: Partial<Tokens>): Action => ({ type: 'tokens', tokens: counts });
/** Seconds after which the client may try again are sent along, for failures that pass. */
export const fail = (failure: Failure, retryAfter?: number): Action => ({ type: 'fail', failure, retryAfter });
export const refuse = (): Action => ({ type: 'refuse' });
/** Sends nothing more, and keeps the connection. */
export const hang = (): Action => ({ type: 'hang' });
/** Cuts the connection. */
export const cut = (): Action => ({ type: 'cut' });

/** Returns a text of this many characters, in lines. */
export function longText(characters: number): string {
  const line = 'All work and no play makes a long answer that nobody reads to its end.\n';
  return line.repeat(Math.ceil(characters / line.length)).slice(0, characters);
}

/** Answers the first call with the first reply, and so on. The last reply answers all later calls. */
export function inOrder(...replies: Reply[]): Script {
  return ({ callNumber }) => replies[Math.min(callNumber, replies.length) - 1];
}

/** Adds to a conversation what the script wants to know at once. */
export function turnOf(wire: Wire, conversation: Conversation, callNumber: number, body: unknown): Turn {
  const { messages } = conversation;
  const sinceAnswer = messages.slice(messages.map(({ role }) => role).lastIndexOf('assistant') + 1);
  const lastOfUser = messages.filter(({ role, parts }) => role === 'user' && parts.some(({ type }) => type === 'text')).at(-1);
  return {
    ...conversation,
    wire,
    callNumber,
    body,
    lastUserText: textOf(lastOfUser?.parts ?? []),
    toolResults: sinceAnswer.flatMap(({ parts }) => parts).filter((part) => part.type === 'toolResult'),
  };
}

export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => part.type === 'text' ? part.text : '').filter((text) => text !== '').join('\n');
}
