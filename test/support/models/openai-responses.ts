import type { ServerResponse } from 'node:http';
import { Answer, Block, pieces } from './answer';
import { errorBody, openAiCredential, requestId, sendOpenAiError, startEvents } from './openai';
import { parseResponses } from './openai-responses-request';
import type { Conversation } from './script';
import { sendJson, WireFormat } from './wire';

type Item = { readonly id: string; readonly type: string; readonly [name: string]: unknown };
type Event = { readonly type: string; readonly [name: string]: unknown };

/** The Responses API. */
export const openAiResponses: WireFormat = {
  wire: 'openai-responses',
  matches: ({ method, path }) => method === 'POST' && path === '/v1/responses',
  credential: openAiCredential,
  parse: parseResponses,
  sendError: sendOpenAiError,

  send(response, answer, conversation): void {
    sendJson(response, 200, ended(answer, conversation), requestId());
  },

  streamBlocks(response, answer, conversation): void {
    startEvents(response);
    sendEvents(response, 0, beginning(answer, conversation));
  },

  streamEnd(response, answer, conversation): void {
    const body = ended(answer, conversation);
    sendEvents(response, beginning(answer, conversation).length, [{ type: `response.${body.status}`, response: body }]);
    response.end();
  },

  streamError(response, error, answer): void {
    const { code, message } = errorBody(error);
    const failed = { ...created(answer, { model: 'model', tools: [] }), status: 'failed', error: { code: code ?? 'server_error', message } };
    sendEvents(response, 10_000, [{ type: 'response.failed', response: failed }]);
    response.end();
  },
};

function sendEvents(response: ServerResponse, first: number, events: readonly Event[]): void {
  events.forEach((event, index) => response.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: first + index })}\n\n`));
}

function created({ id }: Answer, { model, tools }: Pick<Conversation, 'model' | 'tools'>) {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: 1_795_000_000,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output: [] as Item[],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: tools.map(({ name, schema }) => ({ type: 'function', name, parameters: schema, strict: false })),
    top_p: 1,
    usage: null as unknown,
  };
}

function ended(answer: Answer, conversation: Conversation) {
  const { tokens, end } = answer;
  // The provider counts what it read from its cache as input too.
  const input = tokens.input + tokens.cacheRead;
  return {
    ...created(answer, conversation),
    status: end.type === 'refuse' ? 'incomplete' : 'completed',
    incomplete_details: end.type === 'refuse' ? { reason: 'content_filter' } : null,
    output: answer.blocks.map((block, index) => item(answer, block, index, conversation)),
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: tokens.cacheRead },
      output_tokens: tokens.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + tokens.output,
    },
  };
}

/** Returns the events up to the end of the last item. An interrupted answer stops in the middle of it. */
function beginning(answer: Answer, conversation: Conversation): Event[] {
  const response = created(answer, conversation);
  const events: Event[] = [{ type: 'response.created', response }, { type: 'response.in_progress', response }];
  answer.blocks.forEach((block, index) => events.push(...itemEvents(item(answer, block, index, conversation), index)));
  const interrupted = answer.end.type !== 'complete' && answer.end.type !== 'refuse' && answer.blocks.length > 0;
  return interrupted ? events.slice(0, -1) : events;
}

function item({ id }: Answer, block: Block, index: number, { tools }: Conversation): Item {
  if (block.type === 'text') {
    return {
      id: `msg_${id}_${index}`,
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: block.text, annotations: [], logprobs: [] }],
    };
  }
  const tool = tools.find(({ name }) => name === block.name);
  const plain = tool !== undefined && tool.schema === undefined;
  const namespace = tool?.namespace === undefined ? {} : { namespace: tool.namespace };
  const call = { status: 'completed', call_id: `call_${block.id}`, name: block.name, ...namespace };
  return plain
    ? { id: `ctc_${block.id}`, type: 'custom_tool_call', ...call, input: String(block.input) }
    : { id: `fc_${block.id}`, type: 'function_call', ...call, arguments: JSON.stringify(block.input) };
}

function itemEvents(whole: Item, output_index: number): Event[] {
  const at = { item_id: whole.id, output_index };
  const added = (fields: object): Event => ({ type: 'response.output_item.added', output_index, item: { ...whole, status: 'in_progress', ...fields } });
  const done: Event = { type: 'response.output_item.done', output_index, item: whole };
  if (whole.type === 'message') {
    const [part] = whole.content as { text: string }[];
    const here = { ...at, content_index: 0 };
    return [
      added({ content: [] }),
      { type: 'response.content_part.added', ...here, part: { ...part, text: '' } },
      ...pieces(part.text).map((delta) => ({ type: 'response.output_text.delta', ...here, delta, logprobs: [] })),
      { type: 'response.output_text.done', ...here, text: part.text, logprobs: [] },
      { type: 'response.content_part.done', ...here, part },
      done,
    ];
  }
  const [field, event] = whole.type === 'function_call' ? ['arguments', 'function_call_arguments'] : ['input', 'custom_tool_call_input'];
  const input = String(whole[field]);
  return [
    added({ [field]: '' }),
    ...pieces(input).map((delta) => ({ type: `response.${event}.delta`, ...at, delta })),
    { type: `response.${event}.done`, ...at, [field]: input },
    done,
  ];
}
