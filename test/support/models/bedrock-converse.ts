import { Answer, Block, pieces } from './answer';
import { bedrockCredential, isOperation, requestId, sendBedrockError, sendExceptionFrame, sendFrame, startEventStream } from './bedrock';
import { parseConverse } from './bedrock-converse-request';
import { sendJson, WireFormat } from './wire';

/** `Converse` and `ConverseStream`. */
export const bedrockConverse: WireFormat = {
  wire: 'bedrock-converse',
  matches: (request) => isOperation(request, ['converse', 'converse-stream']),
  credential: bedrockCredential,
  parse: parseConverse,
  sendError: sendBedrockError,

  send(response, answer): void {
    sendJson(response, 200, {
      output: { message: { role: 'assistant', content: answer.blocks.map((block) => block.type === 'text' ? { text: block.text } : toolUse(block)) } },
      stopReason: stopReason(answer),
      ...usage(answer),
    }, requestId());
  },

  streamBlocks(response, answer): void {
    startEventStream(response);
    sendFrame(response, 'messageStart', { role: 'assistant' });
    answer.blocks.forEach((block, contentBlockIndex) => {
      // Blocks of text start with their first delta.
      if (block.type === 'toolCall') {
        sendFrame(response, 'contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: `tooluse_${block.id}`, name: block.name } } });
      }
      deltas(block).forEach((delta) => sendFrame(response, 'contentBlockDelta', { contentBlockIndex, delta }));
      const interrupted = answer.end.type !== 'complete' && contentBlockIndex === answer.blocks.length - 1;
      if (!interrupted || answer.end.type === 'refuse') {
        sendFrame(response, 'contentBlockStop', { contentBlockIndex });
      }
    });
  },

  streamEnd(response, answer): void {
    sendFrame(response, 'messageStop', { stopReason: stopReason(answer) });
    sendFrame(response, 'metadata', usage(answer));
    response.end();
  },

  streamError: sendExceptionFrame,
};

function deltas(block: Block) {
  return block.type === 'text'
    ? pieces(block.text).map((text) => ({ text }))
    : pieces(JSON.stringify(block.input)).map((input) => ({ toolUse: { input } }));
}

const toolUse = ({ id, name, input }: Extract<Block, { type: 'toolCall' }>) => ({ toolUse: { toolUseId: `tooluse_${id}`, name, input } });

function stopReason({ blocks, end }: Answer): string {
  if (end.type === 'refuse') {
    return 'content_filtered';
  }
  return blocks.some(({ type }) => type === 'toolCall') ? 'tool_use' : 'end_turn';
}

function usage({ tokens }: Answer) {
  return {
    usage: {
      inputTokens: tokens.input,
      outputTokens: tokens.output,
      totalTokens: tokens.input + tokens.output + tokens.cacheRead + tokens.cacheWrite,
      cacheReadInputTokens: tokens.cacheRead,
      cacheWriteInputTokens: tokens.cacheWrite,
    },
    metrics: { latencyMs: 100 },
  };
}
