import { checkPairs, joined } from './pairs';
import type { Conversation, Message, Part, Tool } from './script';
import { invalid, isObject } from './wire';

interface Options {
  readonly betas: readonly string[];
  readonly model: unknown;
  readonly stream: unknown;
  /** The fields of the body that this wire has beside those of all. */
  readonly extra: readonly string[];
}

type Body = { readonly [name: string]: unknown };

/** Fields that each request may have. */
const FIELDS = [
  'cache_control', 'container', 'inference_geo', 'max_tokens', 'messages', 'metadata', 'output_config', 'service_tier', 'speed', 'stop_sequences',
  'system', 'temperature', 'thinking', 'tool_choice', 'tools', 'top_k', 'top_p',
];

/** Fields that a beta allows, with the beginning of its name. */
const BETA_FIELDS: { readonly [field: string]: string } = {
  context_management: 'context-management-',
  mcp_servers: 'mcp-client-',
  output_format: 'structured-outputs-',
};

/** What the system says in the middle of a conversation is a message too. */
const ROLES = ['user', 'assistant', 'system'];

const NAME = /^[a-zA-Z0-9_-]{1,128}$/;

/** Reads the body of a request of the Messages API, which Bedrock takes too. */
export function parseAnthropic(body: Body, { betas, model, stream, extra }: Options): Conversation {
  const ofBetas = Object.keys(BETA_FIELDS).filter((field) => betas.some((beta) => beta.startsWith(BETA_FIELDS[field])));
  const known = new Set([...FIELDS, ...extra, ...ofBetas]);
  const unknown = Object.keys(body).find((field) => !known.has(field));
  if (unknown !== undefined) {
    invalid(`${unknown}: Extra inputs are not permitted`);
  }
  if (typeof model !== 'string' || model === '') {
    invalid('model: Field required');
  }
  if (!Number.isInteger(body.max_tokens) || Number(body.max_tokens) < 1) {
    invalid(body.max_tokens === undefined ? 'max_tokens: Field required' : 'max_tokens: Input should be greater than or equal to 1');
  }
  if (body.temperature !== undefined && !(Number(body.temperature) >= 0 && Number(body.temperature) <= 1)) {
    invalid('temperature: range: 0..1');
  }
  const tools = parseTools(body.tools ?? []);
  const messages = parseMessages(body.messages);
  if (tools.length === 0 && messages.some(({ parts }) => parts.some(({ type }) => type !== 'text'))) {
    // The provider wants the definitions of tools that the conversation has used; a program that forgets them must notice it here.
    invalid('Requests which include `tool_use` or `tool_result` blocks must define tools');
  }
  return { model, stream: stream === true, system: systemText(body.system), messages, tools };
}

function parseTools(tools: unknown): Tool[] {
  if (!Array.isArray(tools)) {
    invalid('tools: Input should be a valid list');
  }
  const found = (tools as unknown[]).map((tool, index) => {
    if (!isObject(tool) || typeof tool.name !== 'string') {
      return invalid(`tools.${index}.name: Field required`);
    }
    if (!NAME.test(tool.name)) {
      invalid(`tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    }
    // Tools of the provider, such as its search of the web, have a type and no schema.
    const own = tool.type === undefined || tool.type === 'custom';
    if (own && !(isObject(tool.input_schema) && tool.input_schema.type === 'object')) {
      invalid(`tools.${index}.custom.input_schema.type: Input should be 'object'`);
    }
    return { name: tool.name, description: String(tool.description ?? ''), schema: tool.input_schema };
  });
  if (new Set(found.map(({ name }) => name)).size < found.length) {
    invalid('tools: Tool names must be unique.');
  }
  return found;
}

function parseMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    invalid('messages: at least one message is required');
  }
  const found = (messages as unknown[]).map((message, index) => {
    if (!isObject(message) || !ROLES.includes(message.role as string)) {
      return invalid(`messages.${index}.role: Input should be 'user', 'assistant' or 'system'`);
    }
    const role = message.role as Message['role'];
    return { role, parts: parseContent(message.content, role, `messages.${index}`) };
  });
  if (found[0].role === 'assistant') {
    invalid('messages: first message must use the "user" role');
  }
  checkPairs(joined(found.filter(({ role }) => role !== 'system')), {
    open: (at, ids) => `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(', ')}. `
      + 'Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    stray: (at, id) => `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. `
      + 'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
  });
  return found;
}

function parseContent(content: unknown, role: Message['role'], at: string): Part[] {
  if (typeof content === 'string') {
    return content === '' ? invalid(`${at}: all messages must have non-empty content`) : [{ type: 'text', text: content }];
  }
  if (!Array.isArray(content) || content.length === 0) {
    return invalid(`${at}: all messages must have non-empty content`);
  }
  return (content as unknown[]).flatMap((block, index) => parseBlock(block, role, `${at}.content.${index}`));
}

function parseBlock(block: unknown, role: Message['role'], at: string): Part[] {
  if (!isObject(block)) {
    return invalid(`${at}: Input should be a valid dictionary`);
  }
  switch (block.type) {
    case 'text':
      if (typeof block.text !== 'string' || block.text === '') {
        invalid('messages: text content blocks must be non-empty');
      }
      return [{ type: 'text', text: block.text as string }];
    case 'tool_use':
      if (role !== 'assistant' || typeof block.id !== 'string' || typeof block.name !== 'string' || !isObject(block.input)) {
        invalid(`${at}.tool_use: Input should be a valid tool_use block of an assistant message`);
      }
      return [{ type: 'toolCall', id: block.id as string, name: block.name as string, input: block.input }];
    case 'tool_result':
      if (role !== 'user' || typeof block.tool_use_id !== 'string') {
        invalid(`${at}.tool_result.tool_use_id: Field required`);
      }
      return [{ type: 'toolResult', id: block.tool_use_id as string, text: resultText(block.content), isError: block.is_error === true }];
    case 'image':
    case 'document':
    case 'thinking':
    case 'redacted_thinking':
      return [];
    default:
      return invalid(`${at}: Input tag '${String(block.type)}' found using 'type' does not match any of the expected tags`);
  }
}

function resultText(content: unknown): string {
  if (!Array.isArray(content)) {
    return typeof content === 'string' ? content : '';
  }
  return content.map((block) => isObject(block) && typeof block.text === 'string' ? block.text : '').join('\n');
}

function systemText(system: unknown): string {
  if (!Array.isArray(system)) {
    return typeof system === 'string' ? system : '';
  }
  return system.map((block) => isObject(block) ? String(block.text) : '').join('\n');
}
