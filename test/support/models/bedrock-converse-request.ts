import { bedrockModel, requireJson } from './bedrock';
import { checkPairs } from './pairs';
import type { Conversation, Message, Part, Tool } from './script';
import { invalid, isObject, Received } from './wire';

/** Blocks that the script does not see. */
const OTHER_BLOCKS = ['audio', 'cachePoint', 'citationsContent', 'document', 'guardContent', 'image', 'reasoningContent', 'video'];

/** Reads a request of `Converse` or `ConverseStream`. */
export function parseConverse(request: Received): Conversation {
  const model = bedrockModel(request);
  requireJson(request);
  const { messages, system, toolConfig, inferenceConfig } = request.body as { readonly [name: string]: unknown };
  const tools = parseTools(toolConfig);
  const found = parseMessages(messages);
  if (tools.length === 0 && found.some(({ parts }) => parts.some(({ type }) => type !== 'text'))) {
    invalid('The toolConfig field must be defined when using toolUse and toolResult content blocks.');
  }
  if (isObject(inferenceConfig) && inferenceConfig.maxTokens !== undefined && !(Number(inferenceConfig.maxTokens) >= 1)) {
    invalid('Value at \'inferenceConfig.maxTokens\' failed to satisfy constraint: Member must have value greater than or equal to 1');
  }
  return { model, stream: request.path.endsWith('-stream'), system: texts(system), messages: found, tools };
}

function parseTools(config: unknown): Tool[] {
  if (config === undefined) {
    return [];
  }
  const tools: readonly unknown[] = isObject(config) && Array.isArray(config.tools) ? config.tools : [];
  if (tools.length === 0) {
    invalid('Value at \'toolConfig.tools\' failed to satisfy constraint: Member must have length greater than or equal to 1');
  }
  return tools.flatMap((tool, index) => {
    const spec = isObject(tool) ? tool.toolSpec : undefined;
    if (!isObject(spec)) {
      return isObject(tool) && (tool.cachePoint || tool.systemTool) ? [] : invalid(`toolConfig.tools.${index}: no member of the union is set`);
    }
    if (typeof spec.name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(spec.name)) {
      invalid(`Value at 'toolConfig.tools.${index}.member.toolSpec.name' failed to satisfy constraint: [a-zA-Z0-9_-]+`);
    }
    const schema = isObject(spec.inputSchema) ? spec.inputSchema.json : undefined;
    if (!isObject(schema) || schema.type !== 'object') {
      invalid(`The value at toolConfig.tools.${index}.toolSpec.inputSchema.json.type must be one of the following: object.`);
    }
    return [{ name: spec.name as string, description: String(spec.description ?? ''), schema }];
  });
}

function parseMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    invalid('A conversation must contain at least one message.');
  }
  const found = (messages as unknown[]).map((message, index) => {
    if (!isObject(message) || (message.role !== 'user' && message.role !== 'assistant') || !Array.isArray(message.content)) {
      return invalid(`Value at 'messages.${index}.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]`);
    }
    if (message.content.length === 0) {
      invalid(`The content field in the Message object at messages.${index} is empty. Add a ContentBlock object to the content field and try again.`);
    }
    const parts = message.content.flatMap((block, at) => parseBlock(block, `messages.${index}.content.${at}`));
    return { role: message.role as Message['role'], parts };
  });
  if (found[0].role !== 'user') {
    invalid('A conversation must start with a user message. Try again with a conversation that starts with a user message.');
  }
  if (found.some(({ role }, index) => role === found[index - 1]?.role)) {
    invalid('A conversation must alternate between user and assistant roles. '
      + 'Make sure the conversation alternates between user and assistant roles and try again.');
  }
  checkPairs(found, {
    open: (at, ids) => `Expected toolResult blocks at messages.${at + 1}.content for the following Ids: ${ids.join(', ')}`,
    stray: (at) => `The number of toolResult blocks at messages.${at}.content exceeds the number of toolUse blocks of previous turn.`,
  });
  return found;
}

function parseBlock(block: unknown, at: string): Part[] {
  const members = isObject(block) ? Object.keys(block) : [];
  if (!isObject(block) || members.length !== 1) {
    return invalid(`${at}: exactly one member of the union must be set, not ${members.length}`);
  }
  const { text, toolUse, toolResult } = block;
  if (typeof text === 'string') {
    return text.trim() !== '' ? [{ type: 'text', text }]
      : invalid(`The text field in the ContentBlock object at ${at} is blank. Add text to the text field, and try again.`);
  }
  if (isObject(toolUse)) {
    return [{ type: 'toolCall', id: String(toolUse.toolUseId), name: String(toolUse.name), input: toolUse.input }];
  }
  if (isObject(toolResult)) {
    return [{ type: 'toolResult', id: String(toolResult.toolUseId), text: texts(toolResult.content), isError: toolResult.status === 'error' }];
  }
  return OTHER_BLOCKS.includes(members[0]) ? [] : invalid(`${at}: unknown member ${members[0]}`);
}

function texts(content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks.filter(isObject)
    .map(({ text, json }) => text !== undefined ? String(text) : json !== undefined ? JSON.stringify(json) : '')
    .filter((text) => text !== '').join('\n');
}
