import { AGENT_ERRORS } from '../../src/agent/constants';
import { PROGRAMS } from '../../src/agent/runner/programs';
import type { ProgramEnd } from '../../src/agent/runner/programs/program';

/** Reads lines of the script that runs an agent of Strands. */
function read(lines: ReadonlyArray<object | string>, end: Partial<ProgramEnd> = {}) {
  const progress: string[] = [];
  const turn = { definition: { program: 'strands' as const, directory: '/app' }, prompt: 'Mend it', directory: '/', state: '/', environment: {} };
  const reader = PROGRAMS.strands!.reader((text) => progress.push(text), () => undefined, turn);
  for (const line of lines) reader.line(typeof line === 'string' ? line : JSON.stringify(line));
  return { ...reader.end({ exitCode: 0, output: '', errors: '', ...end }), progress };
}

const BEGIN = { type: 'begin', version: '1.62.0' };
const CONVERSATION = { type: 'conversation', id: 'session' };

test('a turn has its version, its conversation, its numbers and its last words', () => {
  const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 2, cacheWriteTokens: 3 };
  expect(read([
    BEGIN, CONVERSATION, 'no JSON', { type: 'text', text: 'I look.' }, { type: 'tool', name: 'shell', input: 'ls' }, { type: 'tool' }, { type: 'text' },
    { type: 'end', turns: 2, usage, summary: 'Done.' },
  ])).toEqual({
    version: '1.62.0', conversation: 'session', turns: 2, usage, summary: 'Done.', error: undefined, progress: ['I look.', '[shell] ls', '[tool] ', ''],
  });
});

test('without a summary or numbers, the last text is the summary', () => {
  expect(read([BEGIN, { type: 'text', text: 'Done.' }, { type: 'end', usage: { inputTokens: 1 } }])).toMatchObject({ summary: 'Done.', usage: undefined });
});

test.each<[string | undefined, string]>([
  ['RATE_LIMITED', AGENT_ERRORS.RATE_LIMITED],
  ['MAX_TURNS', AGENT_ERRORS.MAX_TURNS],
  ['OF_A_NEWER_SCRIPT', AGENT_ERRORS.FAILED],
])('an end of the kind %s is %s', (kind, name) => {
  expect(read([BEGIN, { type: 'end', kind, message: 'slow down' }]).error).toMatchObject({ name, message: expect.stringContaining('slow down') });
  expect(read([BEGIN, { type: 'end', kind }]).error).toMatchObject({ name });
});

test('fails for a process that ends before the turn is over, also with the exit code 0', () => {
  expect(read([BEGIN, { type: 'text', text: 'I begin.' }])).toMatchObject({ summary: 'I begin.', error: { name: AGENT_ERRORS.FAILED, message: expect.stringContaining('before the turn was over') } });
  expect(read([BEGIN], { exitCode: null, signal: 'SIGSEGV' }).error).toMatchObject({ name: AGENT_ERRORS.FAILED, message: expect.stringContaining('SIGSEGV') });
});
