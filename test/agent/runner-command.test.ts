import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { AGENT_ERRORS, AgentDefinition } from '../../src/agent/constants';
import { check } from '../../src/agent/runner/check';
import { AgentRunner } from '../support/agent-runner';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'command-'));
  mkdirSync(join(root, 'bin'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const custom = (command: string): AgentDefinition => ({ program: 'custom', command });

/** Writes a program in JavaScript, in place of one of the real ones. */
function program(name: string, code: string) {
  writeFileSync(join(root, 'bin', name), `#!${process.execPath}\n${code}`);
  chmodSync(join(root, 'bin', name), 0o755);
}

describe('a check', () => {
  const environmentWith = (definition: AgentDefinition) => {
    writeFileSync(join(root, 'agent.json'), JSON.stringify(definition));
    return { WORKBENCH_AGENT_FILE: join(root, 'agent.json'), PATH: join(root, 'bin') };
  };

  test('names the agent and the version of its program', async () => {
    program('claude', 'console.log("2.1.0 (Claude Code)")');
    expect(await check(environmentWith({ program: 'claude-code', name: 'fixer' }))).toEqual({ name: 'fixer', version: '2.1.0', faults: [] });
  });

  test('says what prevents the agent from beginning', async () => {
    expect((await check(environmentWith({ program: 'claude-code', provider: 'bedrock' }))).faults).toEqual([
      expect.stringContaining('AWS_REGION is not set'),
      expect.stringContaining('"model" is missing'),
      expect.stringContaining('"claude" is not on PATH: build the image with AgentImage.forAgent'),
    ]);
    program('claude', 'process.exit(1)');
    expect((await check(environmentWith({ program: 'claude-code' }))).faults).toEqual([expect.stringContaining('"claude" does not print its version')]);
    expect(await check(environmentWith(custom('true')))).toEqual({ name: 'custom', faults: [] });
  });
});

describe('the command', () => {
  test('turn prints the report last, and its exit code says whether the turn was work', async () => {
    const runner = new AgentRunner({ definition: custom('echo hello; exit "$(cat)"') });
    const good = await runner.turn('0');
    expect(good).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^hello\nworkbench-agent-report: \{.*\}\n$/), report: { name: 'custom', summary: 'hello' } });
    const bad = await runner.turn('3');
    expect(bad).toMatchObject({ exitCode: 1, report: { error: { name: AGENT_ERRORS.FAILED } } });
    writeFileSync(join(runner.root, 'prompt'), '0');
    expect(await runner.turn('', { WORKBENCH_PROMPT_FILE: join(runner.root, 'prompt') })).toMatchObject({ exitCode: 0 });
    expect(await runner.turn(' ')).toMatchObject({ exitCode: 1, report: { error: { message: expect.stringContaining('the prompt is empty') } } });
    expect(await runner.turn('0', { WORKBENCH_AGENT_FILE: '/not' })).toMatchObject({ exitCode: 1, report: { error: { message: expect.stringContaining('cannot be read (ENOENT)') } } });
    runner.remove();
  });

  test('check prints JSON, and faults to the standard error', async () => {
    const runner = new AgentRunner({ definition: custom('true') });
    expect(await runner.start('check', '').ended).toMatchObject({ exitCode: 0, stdout: '{"name":"custom"}\n' });
    runner.define({ program: 'claude-code', provider: 'bedrock' });
    expect(await runner.start('check', '').ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('AWS_REGION is not set') });
    expect(await runner.start('dance', '').ended).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Usage: workbench-agent turn | serve | check') });
    runner.remove();
  });
});
