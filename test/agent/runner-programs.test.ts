import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { AGENT_ERRORS, AgentDefinition, AgentProgram } from '../../src/agent/constants';
import { PROGRAMS } from '../../src/agent/runner/programs';
import { classified } from '../../src/agent/runner/programs/failures';
import { ProgramEnd, ProgramTurn } from '../../src/agent/runner/programs/program';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'program-'));
});
afterEach(() => rmSync(state, { recursive: true }));

const turnOf = (definition: AgentDefinition, more: Partial<ProgramTurn> = {}): ProgramTurn =>
  ({ definition, model: definition.model, region: 'eu-west-1', prompt: 'Mend it', directory: '/', state, environment: {}, ...more });

interface Read {
  readonly errors?: readonly string[];
  readonly end?: Partial<ProgramEnd>;
  readonly turn?: ProgramTurn;
}

/** Reads lines that a program printed, and returns what the runner makes of them. */
function read(program: AgentProgram, lines: readonly object[], more: Read = {}) {
  const progress: string[] = [];
  let stops = 0;
  const reader = PROGRAMS[program]!.reader((text) => progress.push(text), () => void stops++, more.turn ?? turnOf({ program }));
  for (const line of lines) reader.line(JSON.stringify(line));
  for (const line of more.errors ?? []) reader.errorLine?.(line);
  const result = reader.end({ exitCode: 0, output: '', errors: (more.errors ?? []).join('\n'), ...more.end });
  return { result, progress, stops };
}

describe('OpenCode', () => {
  const step = (reason: string) => ({ type: 'step_finish', sessionID: 'ses_1', part: { reason, tokens: { input: 10, output: 5, reasoning: 1, cache: { read: 2, write: 3 } }, cost: 0.5 } });
  const overflow = { type: 'error', error: { name: 'ContextOverflowError', data: { message: 'prompt is too long' } } };
  const failed = 'timestamp=x level=ERROR message="stream error" providerID=a error.error="AI_APICallError: Too many requests"';

  test('adds the tokens of its calls', () => {
    const { result, progress } = read('opencode', [
      { type: 'tool_use', sessionID: 'ses_1', part: { tool: 'bash', state: { title: 'ls' } } },
      step('tool-calls'),
      { type: 'text', part: { text: 'Done.' } },
      { type: 'text', part: { text: 'Continue', synthetic: true } },
      step('stop'),
    ]);
    expect(result).toMatchObject({
      conversation: 'ses_1',
      turns: 2,
      costUsd: 1,
      summary: 'Done.',
      error: undefined,
      usage: { inputTokens: 20, outputTokens: 12, cacheReadTokens: 4, cacheWriteTokens: 6 },
    });
    expect(progress).toEqual(['[bash] ls', 'Done.']);
  });

  test('is stopped at the maximum of calls, unless the last one was the answer', () => {
    const turn = turnOf({ program: 'opencode', maxTurns: 2 });
    const ended = { exitCode: null, signal: 'SIGTERM' };
    expect(read('opencode', [step('tool-calls'), step('stop')], { turn })).toMatchObject({ stops: 0, result: { error: undefined } });
    expect(read('opencode', [step('tool-calls'), step('tool-calls')], { turn, end: ended })).toMatchObject({ stops: 1, result: { error: { name: AGENT_ERRORS.MAX_TURNS } } });
  });

  test('is stopped when it fails again and again, and goes on when it does not', () => {
    const ended = { exitCode: null, signal: 'SIGTERM' };
    expect(read('opencode', [overflow])).toMatchObject({ stops: 0 });
    expect(read('opencode', [overflow, overflow], { end: ended })).toMatchObject({ stops: 1, result: { error: { name: AGENT_ERRORS.CONTEXT_FULL } } });
    const work = { type: 'tool_use', part: { tool: 'bash', state: {} } };
    expect(read('opencode', [overflow, work, overflow])).toMatchObject({ stops: 0 });
    expect(read('opencode', [step('stop')], { errors: Array(7).fill(failed) })).toMatchObject({ stops: 0, result: { error: undefined } });
    expect(read('opencode', [], { errors: Array(8).fill(failed), end: ended })).toMatchObject({ stops: 1, result: { error: { name: AGENT_ERRORS.RATE_LIMITED } } });
  });

  test.each([
    [{ name: 'ContentFilterError', data: { message: 'blocked' } }, AGENT_ERRORS.REFUSED],
    [{ name: 'ProviderAuthError', data: { message: 'no key' } }, AGENT_ERRORS.NOT_LOGGED_IN],
    [{ name: 'APIError', data: { message: 'x', statusCode: 401 } }, AGENT_ERRORS.NOT_LOGGED_IN],
    [{ name: 'APIError', data: { message: 'x', statusCode: 429 } }, AGENT_ERRORS.RATE_LIMITED],
    [{ name: 'UnknownError' }, AGENT_ERRORS.FAILED],
    [{}, AGENT_ERRORS.FAILED],
  ])('fails with %j as %s', (error, name) => {
    expect(read('opencode', [{ type: 'error', error }], { end: { exitCode: 1 } }).result.error!.name).toBe(name);
  });

  test('says that its conversation is lost', () => {
    expect(read('opencode', [], { errors: ['Error: Session not found'], end: { exitCode: 1 } }).result.lostConversation).toBe(true);
  });

  test('is configured below the repository, and names the provider of each model', () => {
    const definition: AgentDefinition = { program: 'opencode', provider: 'bedrock', model: 'eu.large', smallModel: 'eu.small', arguments: ['--variant', 'high'] };
    const start = PROGRAMS.opencode!.start(turnOf(definition, { instructions: 'Be brief.', conversation: 'ses_1' }));
    expect(start.arguments.join(' ')).toMatch(/--model amazon-bedrock\/eu\.large --session ses_1 --variant high$/);
    expect(start.input).toBe('Mend it');
    const config = JSON.parse(readFileSync(start.environment!.OPENCODE_CONFIG!, 'utf8')) as { readonly instructions: string[] };
    expect(config).toMatchObject({
      permission: 'allow',
      small_model: 'amazon-bedrock/eu.small',
      provider: { 'amazon-bedrock': { options: { region: 'eu-west-1' }, models: { 'eu.large': {}, 'eu.small': {} } } },
    });
    expect(readFileSync(config.instructions[0], 'utf8')).toBe('Be brief.');
    expect(PROGRAMS.opencode!.start(turnOf({ program: 'opencode' })).arguments).not.toContain('--model');
  });

  test('fails for a model without its provider', () => {
    const faults = PROGRAMS.opencode!.faults!;
    expect(faults({ program: 'opencode', model: 'sonnet' }, {})).toEqual([expect.stringContaining('"model" must name the provider too, such as "anthropic/sonnet"')]);
    expect(faults({ program: 'opencode', model: 'anthropic/sonnet' }, {})).toEqual([]);
    expect(faults({ program: 'opencode', model: 'eu.x', provider: 'bedrock' }, {})).toEqual([]);
  });
});

describe('Codex', () => {
  const completed = (input: number, output: number, cached: number, written = 0) =>
    ({ type: 'turn.completed', usage: { input_tokens: input, output_tokens: output, cached_input_tokens: cached, cache_write_input_tokens: written } });

  test('reports its last words, and what it did', () => {
    const { result, progress } = read('codex', [
      { type: 'thread.started', thread_id: 't-1' },
      { type: 'item.started', item: { type: 'command_execution', command: 'ls' } },
      { type: 'item.completed', item: { type: 'file_change', changes: [{ kind: 'update', path: 'a.js' }, {}] } },
      { type: 'item.completed', item: { type: 'web_search', query: 'how' } },
      { type: 'item.completed', item: { type: 'agent_message', text: 'Done.' } },
      completed(100, 10, 40, 20),
    ]);
    expect(result).toMatchObject({ conversation: 't-1', summary: 'Done.', usage: { inputTokens: 40, outputTokens: 10, cacheReadTokens: 40, cacheWriteTokens: 20 } });
    expect(progress).toEqual(['[command] ls', '[update] a.js', '[change] ', '[web_search] how', 'Done.']);
  });

  test('subtracts the tokens of earlier turns of its conversation, and only those', () => {
    read('codex', [completed(100, 10, 40)]);
    const turn = turnOf({ program: 'codex' }, { conversation: 't-1' });
    expect(read('codex', [completed(150, 15, 60)], { turn }).result.usage).toEqual({ inputTokens: 30, outputTokens: 5, cacheReadTokens: 20 });
    expect(read('codex', [completed(7, 3, 0)]).result.usage).toEqual({ inputTokens: 7, outputTokens: 3, cacheReadTokens: 0 });
    expect(read('codex', [{ type: 'turn.completed' }]).result.usage).toBeUndefined();
  });

  test.each([
    [{ type: 'turn.failed', error: { message: 'unexpected status 401 Unauthorized' } }, AGENT_ERRORS.NOT_LOGGED_IN],
    [{ type: 'turn.failed', error: { message: 'Incomplete response returned, reason: content_filter' } }, AGENT_ERRORS.REFUSED],
    [{ type: 'turn.failed', error: {} }, AGENT_ERRORS.FAILED],
    [{ type: 'error', message: 'Selected model is at capacity.' }, AGENT_ERRORS.UNAVAILABLE],
  ])('fails with %j as %s', (event, name) => {
    expect(read('codex', [event], { end: { exitCode: 1 } }).result.error!.name).toBe(name);
  });

  test('is stopped when it waits for the network again and again', () => {
    const event = { type: 'error', message: 'Reconnecting... waiting for network (Connection failed)' };
    expect(read('codex', Array(11).fill(event)).stops).toBe(0);
    expect(read('codex', Array(12).fill(event)).stops).toBe(1);
  });

  test('says that its conversation is lost', () => {
    const { result } = read('codex', [], { errors: ['Error: no rollout found for thread id t-1'], end: { exitCode: 1 } });
    expect(result).toMatchObject({ lostConversation: true, error: { name: AGENT_ERRORS.FAILED } });
  });

  test('continues a conversation, with the login and the configuration of the user', () => {
    const home = join(state, 'home');
    mkdirSync(join(home, '.codex'), { recursive: true });
    writeFileSync(join(home, '.codex', 'auth.json'), '{}');
    const environment = { HOME: home, OPENAI_API_KEY: 'sk-1' };
    const start = PROGRAMS.codex!.start(turnOf({ program: 'codex', provider: 'bedrock', model: 'm' }, { conversation: 't-1', environment, instructions: 'Say "hi".' }));
    expect(start.arguments.slice(0, 2)).toEqual(['exec', 'resume']);
    expect(start.arguments.slice(-2)).toEqual(['t-1', '-']);
    expect(start.arguments).toContain('developer_instructions="Say \\"hi\\"."');
    expect(start.arguments.join(' ')).toMatch(/aws\.region="eu-west-1"/);
    expect(start.environment).toMatchObject({ CODEX_HOME: state, CODEX_API_KEY: 'sk-1', AWS_REGION: 'eu-west-1' });
    expect(existsSync(join(state, 'auth.json'))).toBe(true);
  });
});

describe('Claude Code', () => {
  const result = (more: object) => ({ type: 'result', session_id: 'c-1', is_error: true, ...more });
  const words = (error: string) => ({ type: 'assistant', message: { model: '<synthetic>', content: [{ type: 'text', text: 'API Error' }] }, error });

  test.each([
    [[words('rate_limit'), result({ result: 'x' })], AGENT_ERRORS.RATE_LIMITED],
    [[words('billing_error'), result({ result: 'x' })], AGENT_ERRORS.RATE_LIMITED],
    [[words('model_not_found'), result({ result: 'x' })], AGENT_ERRORS.MODEL_NOT_ALLOWED],
    [[words('server_error'), result({ result: 'x' })], AGENT_ERRORS.UNAVAILABLE],
    [[words('authentication_failed'), result({ result: 'x', api_error_status: 401 })], AGENT_ERRORS.NOT_LOGGED_IN],
    [[words('authentication_failed'), result({ result: '403 You don\'t have access to the model with the specified model ID.', api_error_status: 403 })], AGENT_ERRORS.MODEL_NOT_ALLOWED],
    [[words('authentication_failed'), result({ result: '403 The security token included in the request is expired', api_error_status: 403 })], AGENT_ERRORS.NOT_LOGGED_IN],
    [[words('unknown'), result({ result: 'API Error: 400 Input is too long for requested model.', api_error_status: 400 })], AGENT_ERRORS.CONTEXT_FULL],
    [[words('unknown'), result({ result: 'Could not load credentials from any providers' })], AGENT_ERRORS.NOT_LOGGED_IN],
    [[result({ subtype: 'error_max_turns' })], AGENT_ERRORS.MAX_TURNS],
    [[result({ stop_reason: 'refusal', result: 'x' })], AGENT_ERRORS.REFUSED],
    [[result({ errors: ['odd'] })], AGENT_ERRORS.FAILED],
  ])('fails with %j as %s', (lines, name) => {
    expect(read('claude-code', lines, { end: { exitCode: 1 } }).result.error!.name).toBe(name);
  });

  test('counts calls, also of subagents, and takes its own last words', () => {
    const say = (id: string, text: string, parent?: string) =>
      ({ type: 'assistant', parent_tool_use_id: parent, message: { id, model: 'm', content: [{ type: 'text', text }, { type: 'tool_use', name: 'Task', input: {} }] } });
    const { result: end, progress } = read('claude-code', [
      { type: 'system', subtype: 'api_retry', error: 'overloaded', attempt: 1 },
      say('1', 'I begin'), say('1', 'and go on'), say('2', 'Below', 'parent'),
      { type: 'result', is_error: false, usage: { input_tokens: 5, output_tokens: 6 } },
    ]);
    expect(end).toMatchObject({ turns: 2, summary: 'and go on', usage: { inputTokens: 5, outputTokens: 6 } });
    expect(progress[0]).toBe('(the provider answers overloaded; attempt 1 follows)');
  });
});

test.each([
  ['Too many tokens, please wait before trying again.', undefined, AGENT_ERRORS.RATE_LIMITED],
  ['Invocation of model ID x with on-demand throughput isn’t supported.', 400, AGENT_ERRORS.MODEL_NOT_ALLOWED],
  ['User: arn is not authorized to perform: bedrock:InvokeModel on resource', 403, AGENT_ERRORS.MODEL_NOT_ALLOWED],
  ['odd', 403, AGENT_ERRORS.MODEL_NOT_ALLOWED],
  ['odd', 404, AGENT_ERRORS.MODEL_NOT_ALLOWED],
  ['odd', 413, AGENT_ERRORS.CONTEXT_FULL],
  ['odd', 503, AGENT_ERRORS.UNAVAILABLE],
  ['odd', 400, AGENT_ERRORS.FAILED],
])('%s (%s) is %s, and says what to do', (text, status, name) => {
  const error = classified(text, status);
  expect(error.name).toBe(name);
  expect(error.message).toMatch(/^.+ — .+$/);
});
