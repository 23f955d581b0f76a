import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentProgram } from '../../src/agent/constants';
import { PROGRAMS } from '../../src/agent/runner/programs';

const MODEL = 'eu.anthropic.claude-sonnet-4-20250514-v1:0';

let state: string;

beforeEach(() => { state = mkdtempSync(join(tmpdir(), 'agent-state-')); });

afterEach(() => rmSync(state, { recursive: true }));

function started(program: AgentProgram) {
  const definition = { program, provider: 'bedrock', model: MODEL } as const;
  return PROGRAMS[program]!.start({ definition, model: MODEL, region: 'eu-west-1', prompt: 'x', directory: '/', state, environment: {} });
}

test('Codex uses the endpoint whose permissions BedrockModel grants, in the Region of the session', () => {
  const { arguments: list, environment } = started('codex');
  expect(list).toEqual(expect.arrayContaining(['model_provider="amazon-bedrock-runtime"', 'model_providers.amazon-bedrock-runtime.aws.region="eu-west-1"', MODEL]));
  expect(environment).toMatchObject({ AWS_REGION: 'eu-west-1' });
});

test('Claude Code uses Bedrock with one model for all work', () => {
  expect(started('claude-code').environment).toMatchObject({
    CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'eu-west-1', ANTHROPIC_DEFAULT_HAIKU_MODEL: MODEL, ANTHROPIC_DEFAULT_SONNET_MODEL: MODEL,
  });
});

test('OpenCode uses Bedrock', () => {
  expect(started('opencode').arguments).toContain(`amazon-bedrock/${MODEL}`);
});
