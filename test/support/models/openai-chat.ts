import type { ServerResponse } from 'node:http';
import { Answer, Block, pieces } from './answer';
import { contentText, errorBody, inputOf, openAiCredential, requestId, roleOf, sendOpenAiError, startEvents, textParts } from './openai';
import { checkPairs, joined } from './pairs';
import type { Conversation, Message, Part, Tool } from './script';
import { invalid, isObject, Received, sendJson, WireFormat } from './wire';

/** Chat Completions. */
export const openAiChat: WireFormat = {
  wire: 'openai-chat',
  matches: ({ method, path }) => method === 'POST' && path === '/v1/chat/completions',
  credential: openAiCredential,

  parse({ body }: Received): Conversation {
    if (!isObject(body)) {
      invalid('We could not parse the JSON body of your request.');
    }
    if (typeof body.model !== 'string' || body.model === '') {
      invalid('you must provide a model parameter');
    }
    const messages = parseMessages(body.messages);
    const system = messages.filter(({ role }) => role === 'system').flatMap(({ parts }) => parts.map((part) => part.type === 'text' ? part.text : ''));
    return { model: body.model as string, stream: body.stream === true, system: system.join('\n'), messages, tools: parseTools(body.tools) };
  },

  sendError: sendOpenAiError,

  send(response, answer, { model }): void {
    const texts = answer.blocks.flatMap((block) => block.type === 'text' ? [block.text] : []);
    const calls = answer.blocks.filter(isCall).map((block) => toolCall(block, JSON.stringify(block.input)));
    const message = {
      role: 'assistant', content: texts.length > 0 ? texts.join('\n') : null, refusal: null, ...calls.length > 0 ? { tool_calls: calls } : {},
    };
    sendJson(response, 200, {
      ...envelope(answer, model, 'chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(answer) }],
      usage: usage(answer),
    }, requestId());
  },

  streamBlocks(response, answer, { model }): void {
    startEvents(response);
    sendDelta(response, answer, model, { role: 'assistant', content: '', refusal: null });
    let index = 0;
    for (const block of answer.blocks) {
      if (isCall(block)) {
        sendDelta(response, answer, model, { tool_calls: [{ index, ...toolCall(block, '') }] });
        for (const text of pieces(JSON.stringify(block.input))) {
          sendDelta(response, answer, model, { tool_calls: [{ index, function: { arguments: text } }] });
        }
        index += 1;
      } else {
        pieces(block.text).forEach((content) => sendDelta(response, answer, model, { content }));
      }
    }
  },

  streamEnd(response, answer, { model, body }): void {
    sendDelta(response, answer, model, {}, finishReason(answer));
    // The tokens come in a chunk of their own, and only if the client asks for them.
    if (isObject(body) && isObject(body.stream_options) && body.stream_options.include_usage === true) {
      sendChunk(response, { ...envelope(answer, model, 'chat.completion.chunk'), choices: [], usage: usage(answer) });
    }
    response.write('data: [DONE]\n\n');
    response.end();
  },

  streamError(response, error): void {
    sendChunk(response, { error: errorBody(error) });
    response.end();
  },
};

function sendChunk(response: ServerResponse, chunk: unknown): void {
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}

function sendDelta(response: ServerResponse, answer: Answer, model: string, delta: unknown, finish_reason: string | null = null): void {
  sendChunk(response, { ...envelope(answer, model, 'chat.completion.chunk'), choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null });
}

function envelope({ id }: Answer, model: string, object: string) {
  return { id: `chatcmpl-${id}`, object, created: 1_795_000_000, model, service_tier: 'default', system_fingerprint: 'fp_1' };
}

function usage({ tokens }: Answer) {
  const prompt = tokens.input + tokens.cacheRead;
  return {
    prompt_tokens: prompt,
    completion_tokens: tokens.output,
    total_tokens: prompt + tokens.output,
    prompt_tokens_details: { cached_tokens: tokens.cacheRead },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

function finishReason(answer: Answer): string {
  return answer.end.type === 'refuse' ? 'content_filter' : answer.blocks.some(isCall) ? 'tool_calls' : 'stop';
}

const isCall = (block: Block): block is Extract<Block, { type: 'toolCall' }> => block.type === 'toolCall';

const toolCall = ({ id, name }: Extract<Block, { type: 'toolCall' }>, text: string) => (
  { id: `call_${id}`, type: 'function', function: { name, arguments: text } });

function parseTools(tools: unknown): Tool[] {
  const list: readonly unknown[] = Array.isArray(tools) ? tools : [];
  return list.map((tool, index) => {
    const definition = isObject(tool) && tool.type === 'function' ? tool.function : undefined;
    if (!isObject(definition) || typeof definition.name !== 'string') {
      return invalid(`Missing required parameter: 'tools[${index}].function.name'.`);
    }
    return { name: definition.name, description: String(definition.description ?? ''), schema: definition.parameters ?? {} };
  });
}

function parseMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    invalid('Invalid \'messages\': empty array. Expected an array with minimum length 1, but got an empty array instead.');
  }
  const found = joined((messages as unknown[]).map((message, index) => parseMessage(message, index)));
  checkPairs(joined(found.filter(({ role }) => role !== 'system')), {
    open: (_, ids) => 'An assistant message with \'tool_calls\' must be followed by tool messages responding to each \'tool_call_id\'. '
      + `The following tool_call_ids did not have response messages: ${ids.join(', ')}`,
    stray: () => 'Invalid parameter: messages with role \'tool\' must be a response to a preceeding message with \'tool_calls\'.',
  });
  return found;
}

function parseMessage(message: unknown, index: number): Message {
  if (!isObject(message)) {
    return invalid(`Invalid type for 'messages[${index}]': expected an object.`);
  }
  if (message.role === 'tool') {
    return { role: 'user', parts: [{ type: 'toolResult', id: String(message.tool_call_id), text: contentText(message.content), isError: false }] };
  }
  const role = roleOf(message.role);
  if (!role) {
    return invalid(`Invalid value: '${String(message.role)}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`);
  }
  const calls: readonly unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  if (calls.length === 0 && (message.content === undefined || message.content === null)) {
    invalid(`Invalid value for 'content': expected a string, got null. (messages[${index}])`);
  }
  return { role, parts: [...textParts(message.content ?? ''), ...calls.filter(isObject).map(callPart)] };
}

function callPart(call: { readonly [name: string]: unknown }): Part {
  const { name, arguments: json } = isObject(call.function) ? call.function : {};
  return { type: 'toolCall', id: String(call.id), name: String(name), input: inputOf(json) };
}
