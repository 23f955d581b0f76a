import { Answer, Block, pieces } from './answer';

export interface AnthropicEvent {
  readonly type: string;
  readonly [name: string]: unknown;
}

/** Returns the answer as a message, as it is without a stream. */
export function anthropicMessage(answer: Answer, model: string) {
  return {
    ...emptyMessage(answer, model),
    content: answer.blocks.map((block) => block.type === 'text' ? { type: 'text', text: block.text } : toolUse(block, block.input)),
    stop_reason: stopReason(answer),
    stop_details: stopDetails(answer),
    usage: usage(answer, answer.tokens.output),
  };
}

/** Returns the events up to the end of the last block. An interrupted answer stops in the middle of it. */
export function anthropicEvents(answer: Answer, model: string): AnthropicEvent[] {
  const interrupted = answer.end.type !== 'complete' && answer.end.type !== 'refuse';
  const events: AnthropicEvent[] = [{ type: 'message_start', message: emptyMessage(answer, model) }];
  answer.blocks.forEach((block, index) => {
    events.push({ type: 'content_block_start', index, content_block: block.type === 'text' ? { type: 'text', text: '' } : toolUse(block, {}) });
    if (index === 0) {
      events.push({ type: 'ping' });
    }
    events.push(...deltas(block).map((delta) => ({ type: 'content_block_delta', index, delta })), { type: 'content_block_stop', index });
  });
  return interrupted && answer.blocks.length > 0 ? events.slice(0, -1) : events;
}

export function endEvents(answer: Answer): AnthropicEvent[] {
  return [
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason(answer), stop_sequence: null, stop_details: stopDetails(answer) },
      usage: { ...cacheUsage(answer), output_tokens: answer.tokens.output },
    },
    { type: 'message_stop' },
  ];
}

function deltas(block: Block) {
  return block.type === 'text'
    ? pieces(block.text).map((text) => ({ type: 'text_delta', text }))
    // The first delta of an input is empty, as the provider's.
    : ['', ...pieces(JSON.stringify(block.input))].map((json) => ({ type: 'input_json_delta', partial_json: json }));
}

function emptyMessage(answer: Answer, model: string) {
  return {
    id: `msg_${answer.id}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: usage(answer, 1),
  };
}

const toolUse = (block: Extract<Block, { type: 'toolCall' }>, input: unknown) => ({ type: 'tool_use', id: `toolu_${block.id}`, name: block.name, input });

function usage(answer: Answer, output: number) {
  const { cacheWrite } = answer.tokens;
  return {
    ...cacheUsage(answer),
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: 'standard',
  };
}

function cacheUsage({ tokens }: Answer) {
  return { input_tokens: tokens.input, cache_creation_input_tokens: tokens.cacheWrite, cache_read_input_tokens: tokens.cacheRead };
}

function stopReason({ blocks, end }: Answer): string {
  if (end.type === 'refuse') {
    return 'refusal';
  }
  return blocks.some(({ type }) => type === 'toolCall') ? 'tool_use' : 'end_turn';
}

function stopDetails({ end }: Answer) {
  return end.type === 'refuse' ? { type: 'refusal', category: null, explanation: 'The request is against the usage policy.' } : null;
}
