import { contentText, inputOf, roleOf, textParts } from './openai';
import { checkPairs, joined } from './pairs';
import type { Conversation, Message, Part, Tool } from './script';
import { invalid, isObject, Received } from './wire';

const FIELDS = [
  'background', 'client_metadata', 'context_management', 'conversation', 'include', 'input', 'instructions', 'max_output_tokens', 'max_tool_calls',
  'metadata', 'model', 'moderation', 'parallel_tool_calls', 'previous_response_id', 'prompt', 'prompt_cache_key', 'prompt_cache_options',
  'prompt_cache_retention', 'reasoning', 'safety_identifier', 'service_tier', 'store', 'stream', 'stream_options', 'temperature', 'text', 'tool_choice',
  'tools', 'top_logprobs', 'top_p', 'truncation', 'user',
];

const CONTENT = ['input_text', 'input_image', 'input_file', 'output_text', 'refusal'];

/** Reads a request of the Responses API. */
export function parseResponses({ body }: Received): Conversation {
  if (!isObject(body)) {
    invalid('We could not parse the JSON body of your request.');
  }
  const unknown = Object.keys(body).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) {
    invalid(`Unknown parameter: '${unknown}'.`);
  }
  if (typeof body.model !== 'string' || body.model === '') {
    invalid('Missing required parameter: \'model\'.');
  }
  // Newer models take tools in the input too.
  const added = Array.isArray(body.input) ? body.input.filter((item) => isObject(item) && item.type === 'additional_tools') : [];
  const tools = [...parseTools(body.tools ?? []), ...added.flatMap((item) => parseTools(item.tools))];
  const messages = parseInput(body.input);
  const instructions = typeof body.instructions === 'string' ? [body.instructions] : [];
  const system = messages.filter(({ role }) => role === 'system').flatMap(({ parts }) => parts.map((part) => part.type === 'text' ? part.text : ''));
  return { model: body.model as string, stream: body.stream === true, system: [...instructions, ...system].join('\n'), messages, tools };
}

function parseTools(tools: unknown, namespace?: string): Tool[] {
  if (!Array.isArray(tools)) {
    invalid('Invalid type for \'tools\': expected an array.');
  }
  return (tools as unknown[]).flatMap((tool, index) => {
    if (!isObject(tool) || typeof tool.type !== 'string') {
      return invalid(`Missing required parameter: 'tools[${index}].type'.`);
    }
    if (tool.type === 'namespace') {
      return parseTools(tool.tools ?? [], String(tool.name));
    }
    if (tool.type !== 'function' && tool.type !== 'custom') {
      return [];
    }
    if (typeof tool.name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(tool.name)) {
      invalid(`Invalid 'tools[${index}].name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`);
    }
    if (tool.type === 'function' && !(isObject(tool.parameters) && tool.parameters.type === 'object')) {
      invalid(`Invalid schema for function '${String(tool.name)}': schema must be a JSON Schema of 'type: "object"'.`);
    }
    return [{ name: tool.name as string, description: String(tool.description ?? ''), schema: tool.parameters, namespace }];
  });
}

function parseInput(input: unknown): Message[] {
  if (typeof input === 'string') {
    return [{ role: 'user', parts: [{ type: 'text', text: input }] }];
  }
  if (!Array.isArray(input) || input.length === 0) {
    invalid('Missing required parameter: \'input\'.');
  }
  const found = joined((input as unknown[]).map((item, index) => parseItem(item, `input[${index}]`)).filter(({ parts }) => parts.length > 0));
  checkPairs(joined(found.filter(({ role }) => role !== 'system')), {
    open: (_, ids) => `No tool output found for function call ${ids[0]}.`,
    stray: (_, id) => `No tool call found for function call output with call_id ${id}.`,
  });
  return found;
}

function parseItem(item: unknown, at: string): Message {
  if (!isObject(item)) {
    return invalid(`Invalid type for '${at}': expected an object.`);
  }
  switch (item.type ?? 'message') {
    case 'message': {
      const role = roleOf(item.role);
      if (!role) {
        return invalid(`Invalid value: '${String(item.role)}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`);
      }
      const content: readonly unknown[] = Array.isArray(item.content) ? item.content : [];
      const wrong = content.findIndex((part) => !isObject(part) || !CONTENT.includes(String(part.type)));
      if (wrong >= 0) {
        invalid(`Invalid value: '${at}.content[${wrong}].type'. Supported values are: ${CONTENT.map((type) => `'${type}'`).join(', ')}.`);
      }
      return { role, parts: textParts(item.content) };
    }
    case 'function_call':
      return call(item, inputOf(item.arguments), at);
    case 'custom_tool_call':
      return call(item, item.input, at);
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const part: Part = { type: 'toolResult', id: String(item.call_id), text: contentText(item.output), isError: false };
      return { role: 'user', parts: [part] };
    }
    case 'additional_tools':
    case 'reasoning':
    case 'item_reference':
    case 'compaction':
    case 'web_search_call':
      return { role: 'assistant', parts: [] };
    default:
      return invalid(`Invalid value: '${String(item.type)}' for '${at}.type'.`);
  }
}

function call(item: { readonly [name: string]: unknown }, input: unknown, at: string): Message {
  if (typeof item.call_id !== 'string' || typeof item.name !== 'string') {
    invalid(`Missing required parameter: '${at}.call_id'.`);
  }
  return { role: 'assistant', parts: [{ type: 'toolCall', id: item.call_id as string, name: item.name as string, input }] };
}
