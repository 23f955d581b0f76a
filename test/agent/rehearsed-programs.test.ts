import { dirname, join } from 'node:path';
import { CodingAgent, Verification } from '../../src';
import type { AgentDefinition } from '../../src/agent/constants';
import { codexProvider, DIALECTS } from '../support/agent-programs';
import { call, ModelServer, Reply, say, Script, Turn } from '../support/models';
import { NpmProgram, programDirectory } from '../support/programs';
import { pythonPackages } from '../support/python-packages';
import { RehearsedLoop } from '../support/rehearsed-loop';

jest.setTimeout(300_000);

/** The programs. One of them runs for each change, beside Claude Code in the test of the command line, and all of them at night. */
const PROGRAMS = process.env.WORKBENCH_ALL_AGENTS ? ['claude-code', 'opencode', 'codex', 'aider'] as const : ['opencode'] as const;
type ProgramName = NpmProgram | 'aider';

interface Given {
  readonly definition: AgentDefinition;
  /** The directories on PATH. */
  readonly path: string;
  /** The directory with all of the program, which the sandbox shows. */
  readonly shared: string;
  readonly environment: { readonly [name: string]: string };
}

let loop: RehearsedLoop;
let model: ModelServer;
let path: string | undefined;
beforeEach(async () => {
  path = process.env.PATH;
  loop = new RehearsedLoop();
  // aider's requests have no tools.
  model = await ModelServer.start({ script: () => say('Nothing to do.'), sideScript: (turn) => model.script(turn) });
});
afterEach(async () => {
  process.env.PATH = path;
  await loop.close();
  await model.stop();
});

async function given(program: ProgramName): Promise<Given> {
  if (program === 'aider') {
    const shared = pythonPackages('aider-chat');
    return {
      definition: { program, provider: 'bedrock', model: 'global.anthropic.claude-sonnet-4-5-20250929-v1:0' },
      path: join(shared, 'bin'),
      shared,
      environment: { PYTHONPATH: shared, AWS_BEDROCK_RUNTIME_ENDPOINT: model.url, AWS_ACCESS_KEY_ID: 'AKIASCRIPTED', AWS_SECRET_ACCESS_KEY: 'scripted' },
    };
  }
  const { definition, environment, impatient } = DIALECTS[program]!;
  const bin = await programDirectory(program);
  return {
    definition: { ...definition, ...program === 'codex' ? { arguments: codexProvider(model) } : {} },
    path: bin,
    shared: dirname(dirname(bin)),
    environment: { ...environment(model), ...impatient },
  };
}

/** Answers with an edit: by a tool, or, for aider, by a block in the text. */
function editing(program: ProgramName, from: string, to: string): Reply {
  if (program !== 'aider') return DIALECTS[program]!.shell(`sed -i s/${from}/${to}/ answer`);
  return say(`I write ${to}.\n\nanswer\n\`\`\`\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n\`\`\`\n`);
}

/** Writes 43 first, and 42 when the prompt says that this is wrong. */
const repairing = (program: ProgramName): Script => ({ lastUserText, toolResults }: Turn) => {
  // Codex leaves a command that takes longer than some seconds to itself: on a busy machine, every command may.
  const [, running] = /Process running with session ID (\d+)/.exec(toolResults[0]?.text ?? '') ?? [];
  if (running !== undefined) return call('write_stdin', { session_id: Number(running), chars: '', yield_time_ms: 30_000 });
  if (toolResults.length > 0) return say('It is done.');
  return lastUserText.includes('the answer is 43') ? editing(program, '43', '42') : editing(program, '41', '43');
};

test.each(PROGRAMS)('%s repairs a task in two turns, and continues the conversation on the next day', async (program) => {
  const { definition, path: directory, shared, environment } = await given(program);
  process.env.PATH = `${directory}:${path}`;
  const assembly = loop.synth({ loop: { turn: CodingAgent.claudeCode().turn(), verification: Verification.inFreshSession() } });
  const rehearsal = await loop.start({ definition }, { assembly, environment, sharedDirectories: [shared], stateDirectory: loop.copy.state });

  model.script = repairing(program);
  const first = await rehearsal.run({ prompt: 'Correct the file answer.', taskId: 'answer' }, { retryDelay: 0 });
  expect([first.error, first.outcome, first.output?.verified]).toEqual([undefined, 'COMMITTED', true]);
  expect(first.output).toMatchObject({ rounds: 2, agent: { name: program, version: expect.stringMatching(/^\d+\.\d+/), usage: { inputTokens: expect.any(Number) } } });
  const calls = [...model.turns, ...model.sideTurns];
  expect(calls.some(({ lastUserText }) => lastUserText.includes('the answer is 43'))).toBe(true);

  await rehearsal.clock.advance(24 * 3_600_000);
  model.script = () => say('It is right already.');
  const second = await rehearsal.run({ prompt: 'Look at it again.', taskId: 'answer', session: { id: first.session!.id } }, { retryDelay: 0 });
  expect([second.error, second.outcome]).toEqual([undefined, 'NO_CHANGES']);
  expect(second.output?.agent).toMatchObject({ name: program, summary: expect.stringContaining('It is right already.') });
  const last = [...model.turns, ...model.sideTurns].find(({ lastUserText }) => lastUserText.includes('Look at it again.'))!;
  expect(JSON.stringify(last.messages)).toContain('Correct the file answer.');
  expect(model.scriptErrors).toEqual([]);
});
