import { readFileSync, writeFileSync } from 'fs';
import { AGENT_ERRORS } from '../../src/agent/constants';
import { PROGRAM_VERSIONS } from '../../src/agent/versions';
import { AgentWithModel, DIALECTS } from '../support/agent-programs';
import { fail, Failure, hang, longText, refuse, say } from '../support/models';
import { NpmProgram } from '../support/programs';

const PROGRAMS = Object.keys(DIALECTS) as NpmProgram[];
const NOBODY = 65534;

/** Tests that run for each change with the program that starts fastest, and with all of them at night. */
const asOften = (program: NpmProgram) => (program === 'claude-code' || process.env.WORKBENCH_ALL_AGENTS ? test : test.skip);

let agent: AgentWithModel;
afterEach(async () => agent.stop());

// Codex is for the night only.
describe.each(PROGRAMS.filter((program) => program !== 'codex' || process.env.WORKBENCH_ALL_AGENTS))('%s, for real', (program) => {
  const often = asOften(program);
  const limited = program === 'codex' ? test.skip : often;

  test('changes a file, and reports its usage, its calls and its last words', async () => {
    agent = await AgentWithModel.start(program);
    agent.answers(...agent.repair());
    const { exitCode, report, stdout } = await agent.runner.turn('Mend the sum', { WORKBENCH_INSTRUCTIONS: 'The check is called edge-case.' });
    expect(report).toEqual({
      name: program,
      version: PROGRAM_VERSIONS[program],
      ...agent.dialect.reports,
      summary: 'I replaced the minus.',
    });
    expect(exitCode).toBe(0);
    expect(agent.runner.read('sum.js')).toContain('a + b');
    expect(stdout).toMatch(/I look at it\.\n\[.*\] .*sum\.js.*\n\[.*\] .*\nI replaced the minus\.\n/is);
    expect(agent.model.turns[0].lastUserText).toContain('Mend the sum');
    expect(agent.model.turns[0].system).toContain('The check is called edge-case.');
  });

  often('continues its conversation in the next turn of the task, also after the ephemeral disk is gone', async () => {
    agent = await AgentWithModel.start(program);
    agent.answers(say('The first answer.'));
    await agent.runner.turn('The first prompt');
    await agent.runner.turn('The second prompt');
    agent.runner.loseEphemeralDisk();
    const { report } = await agent.runner.turn('The third prompt');
    expect(report.usage).toMatchObject({ inputTokens: 1_000, outputTokens: 50 });
    await agent.runner.turn('Another task', { WORKBENCH_TASK_ID: 'task-2' });
    const seen = agent.model.turns.map(({ messages }) => JSON.stringify(messages));
    expect(seen).toHaveLength(4);
    expect(seen[1]).toMatch(/The first prompt.*The first answer\..*The second prompt/s);
    expect(seen[2]).toMatch(/The first prompt.*The second prompt.*The third prompt/s);
    expect(seen[3]).not.toContain('first prompt');
  });

  often('begins a new conversation if the old one is damaged', async () => {
    agent = await AgentWithModel.start(program);
    agent.answers(say('Understood.'));
    await agent.runner.turn('The first prompt');
    for (const file of agent.runner.kept().filter((name) => !name.endsWith('current.json'))) writeFileSync(file, 'damaged');
    agent.runner.loseEphemeralDisk();
    const { report, stderr } = await agent.runner.turn('The second prompt');
    expect(report).toMatchObject({ summary: 'Understood.' });
    expect(stderr).toContain('the conversation of the earlier turn cannot be continued, and a new one begins');
  });

  test('ends with all that it started when its turn is ended', async () => {
    agent = await AgentWithModel.start(program);
    agent.answers(agent.dialect.shell('echo $$ > pid; trap "" TERM; (trap "" TERM; setsid sleep 987) & sleep 987'), hang());
    const { child, ended } = agent.runner.start('turn', 'Wait');
    await agent.model.waitFor(({ kind }) => kind === 'main');
    await appears(() => agent.runner.read('pid'));
    child.kill('SIGTERM');
    const { exitCode, report } = await ended;
    expect({ exitCode, report }).toMatchObject({ exitCode: 1, report: { error: { name: AGENT_ERRORS.FAILED, message: expect.stringContaining('ended from outside') } } });
    expect(isAlive(Number(agent.runner.read('pid')))).toBe(false);
  });

  test('fails with its own error for a rate limit', async () => expectFailure('rateLimit', AGENT_ERRORS.RATE_LIMITED));

  often.each([
    ['quota', AGENT_ERRORS.RATE_LIMITED],
    ['unauthorized', AGENT_ERRORS.NOT_LOGGED_IN],
    ['modelUnknown', AGENT_ERRORS.MODEL_NOT_ALLOWED],
    ['modelNotAllowed', AGENT_ERRORS.MODEL_NOT_ALLOWED],
    ['contextFull', AGENT_ERRORS.CONTEXT_FULL],
    ['overloaded', AGENT_ERRORS.UNAVAILABLE],
  ] as const)('fails with its own error for %s', async (failure, name) => {
    await expectFailure(failure, name);
  });

  async function expectFailure(failure: Failure, name: string) {
    agent = await AgentWithModel.start(program);
    agent.answers(fail(failure, 0));
    const { exitCode, report } = await agent.runner.turn('Mend the sum');
    expect(report).toMatchObject({ name: program, error: { name, message: expect.stringMatching(/ — /) } });
    expect(exitCode).toBe(1);
  }

  often('fails with its own error if the model refuses', async () => {
    agent = await AgentWithModel.start(program);
    agent.answers([say('I cannot do that.'), refuse()]);
    const { report } = await agent.runner.turn('Mend the sum');
    expect(report).toMatchObject({ error: { name: AGENT_ERRORS.REFUSED } });
  });

  often('fails with its own error without credentials', async () => {
    agent = await AgentWithModel.start(program);
    const { report } = await agent.runner.turn('Mend the sum', { ANTHROPIC_API_KEY: '', OPENAI_API_KEY: '' });
    expect(report).toMatchObject({ error: { name: AGENT_ERRORS.NOT_LOGGED_IN } });
  });

  limited('fails with its own error after the maximum of model calls', async () => {
    agent = await AgentWithModel.start(program, { definition: { maxTurns: 2 } });
    agent.answers(agent.dialect.shell('true'));
    const { report } = await agent.runner.turn('Mend the sum');
    expect(report).toMatchObject({ turns: 2, error: { name: AGENT_ERRORS.MAX_TURNS, message: expect.stringContaining('raise "maxTurns"') } });
    // A call that had begun when the runner counted is not undone.
    expect(agent.model.turns.length).toBeLessThanOrEqual(3);
  });

  often('bounds an enormous answer', async () => {
    agent = await AgentWithModel.start(program);
    agent.answers(say(longText(3_000_000)));
    const { report, stdout } = await agent.runner.turn('Speak');
    expect(report.error).toBeUndefined();
    expect(report.summary!.length).toBeLessThanOrEqual(2_000);
    expect(stdout.length).toBeLessThan(20_000);
  });

  const asRoot = process.getuid!() === 0 ? often : test.skip;
  asRoot('works as a user without rights', async () => {
    agent = await AgentWithModel.start(program, { user: NOBODY });
    agent.answers(...agent.repair());
    const { report } = await agent.runner.turn('Mend the sum');
    expect(report).toMatchObject({ summary: 'I replaced the minus.' });
    expect(agent.runner.read('sum.js')).toContain('a + b');
  });
});

/** Waits until something can be read that another process writes. */
async function appears(read: () => string): Promise<void> {
  for (;;) {
    try {
      if (read() !== '') return;
    } catch {
      // It is not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Determines whether a process runs, and is not only waiting for its parent to notice its end. */
function isAlive(id: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${id}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
