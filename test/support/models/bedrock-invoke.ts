import type { ServerResponse } from 'node:http';
import { Answer } from './answer';
import { AnthropicEvent, anthropicEvents, anthropicMessage, endEvents } from './anthropic-answer';
import { parseAnthropic } from './anthropic-request';
import {
  bedrockCredential, bedrockModel, isOperation, requestId, requireJson, sendBedrockError, sendExceptionFrame, sendFrame, startEventStream,
} from './bedrock';
import { invalid, isObject, Received, sendJson, WireFormat } from './wire';

/** `InvokeModel` and `InvokeModelWithResponseStream` of models of Anthropic. */
export const bedrockInvoke: WireFormat = {
  wire: 'bedrock-invoke',
  matches: (request) => isOperation(request, ['invoke', 'invoke-with-response-stream']),
  credential: bedrockCredential,

  parse(request: Received) {
    const model = bedrockModel(request);
    requireJson(request);
    const body = isObject(request.body) ? request.body : {};
    if (body.anthropic_version !== 'bedrock-2023-05-31') {
      invalid(body.anthropic_version === undefined ? 'anthropic_version: Field required' : 'anthropic_version: Input should be \'bedrock-2023-05-31\'');
    }
    const header = String(request.headers['anthropic-beta'] ?? '').split(',').filter((beta) => beta !== '');
    const betas = [...header, ...Array.isArray(body.anthropic_beta) ? body.anthropic_beta.map(String) : []];
    return parseAnthropic(body, { betas, model, stream: request.path.endsWith('-stream'), extra: ['anthropic_beta', 'anthropic_version'] });
  },

  sendError: sendBedrockError,

  send(response, answer, { model }): void {
    sendJson(response, 200, anthropicMessage(answer, model), {
      ...requestId(),
      'x-amzn-bedrock-input-token-count': `${answer.tokens.input}`,
      'x-amzn-bedrock-output-token-count': `${answer.tokens.output}`,
      'x-amzn-bedrock-invocation-latency': '100',
    });
  },

  streamBlocks(response, answer, { model }): void {
    startEventStream(response);
    // Bedrock leaves the pings out.
    anthropicEvents(answer, model).filter(({ type }) => type !== 'ping').forEach((event) => sendChunk(response, event));
  },

  streamEnd(response, answer): void {
    endEvents(answer).forEach((event) => sendChunk(response, event.type === 'message_stop' ? { ...event, ...metrics(answer) } : event));
    response.end();
  },

  streamError: sendExceptionFrame,
};

function sendChunk(response: ServerResponse, event: AnthropicEvent): void {
  sendFrame(response, 'chunk', { bytes: Buffer.from(JSON.stringify(event), 'utf8').toString('base64'), p: 'abcdefgh' });
}

function metrics({ tokens }: Answer) {
  return {
    'amazon-bedrock-invocationMetrics': {
      inputTokenCount: tokens.input,
      outputTokenCount: tokens.output,
      invocationLatency: 100,
      firstByteLatency: 50,
      cacheReadInputTokenCount: tokens.cacheRead,
      cacheWriteInputTokenCount: tokens.cacheWrite,
    },
  };
}
