import { AGENT_ERRORS, AgentDefinition } from '../../src/agent/constants';
import { AgentRunner } from '../support/agent-runner';
import { InstanceMetadata } from '../support/instance-metadata';
import { call, fail, inOrder, ModelServer, ModelServerOptions, refuse, Reply, say } from '../support/models';
import { NpmProgram, programDirectory } from '../support/programs';

interface OnBedrock {
  readonly model: string;
  readonly environment?: (url: string) => { readonly [name: string]: string };
  readonly arguments?: (url: string) => string[];
  readonly shell: (command: string) => Reply;
  /** The operation, and the service that requests are signed for. */
  readonly path: RegExp;
  readonly service: string;
}

/** Programs with their own configuration for Amazon Bedrock; only the address of the service is another one. */
const PROGRAMS: { readonly [program in NpmProgram]?: OnBedrock } = {
  'claude-code': {
    model: 'global.anthropic.claude-opus-4-8',
    environment: (url) => ({ ANTHROPIC_BEDROCK_BASE_URL: url, CLAUDE_CODE_MAX_RETRIES: '1' }),
    shell: (command) => call('Bash', { command, description: 'A command' }),
    path: /^\/model\/global\.anthropic\.claude-opus-4-8\/invoke-with-response-stream$/,
    service: 'bedrock',
  },
  'opencode': {
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    environment: (url) => ({ OPENCODE_CONFIG_CONTENT: JSON.stringify({ provider: { 'amazon-bedrock': { options: { endpoint: url } } } }) }),
    shell: (command) => call('bash', { command, description: 'A command' }),
    path: /^\/model\/eu\.anthropic\.claude-sonnet-4-5-20250929-v1%3A0\/converse-stream$/,
    service: 'bedrock',
  },
  'codex': {
    model: 'openai.gpt-6.2-sol',
    arguments: (url) => ['-c', `model_providers.amazon-bedrock-runtime.base_url="${url}/v1"`],
    shell: (command) => call('exec_command', { cmd: command }),
    path: /^\/v1\/responses$/,
    service: 'bedrock',
  },
};

const AWS_REGION = 'eu-central-1';
const CREDENTIALS = { AWS_REGION, AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };

let server: ModelServer;
let runner: AgentRunner;
afterEach(async () => {
  runner.remove();
  await server.stop();
});

async function start(
  program: NpmProgram,
  options: ModelServerOptions,
  definition: Partial<AgentDefinition> = {},
  credentials: { readonly [name: string]: string } = CREDENTIALS,
) {
  const { model, environment, arguments: more } = PROGRAMS[program]!;
  server = await ModelServer.start(options);
  runner = new AgentRunner({
    definition: { program, provider: 'bedrock', model, arguments: more?.(server.url), ...definition },
    programs: [await programDirectory(program)],
    environment: { ...credentials, ...environment?.(server.url) },
  });
}

// One for each change, all at night.
const chosen = (Object.keys(PROGRAMS) as NpmProgram[]).filter((program) => program === 'claude-code' || process.env.WORKBENCH_ALL_AGENTS);

describe.each(chosen)('%s with a model on Amazon Bedrock', (program) => {
  const { model, shell, path, service } = PROGRAMS[program]!;

  test('changes a file through the service, with signed requests for the model of its definition', async () => {
    await start(program, { script: inOrder(shell('sed -i "s/-/+/" sum.js'), say('I replaced the minus.')), models: [model] });
    const { report, exitCode } = await runner.turn('Mend the sum');
    expect(report).toMatchObject({ name: program, summary: 'I replaced the minus.', usage: { inputTokens: 2_000, outputTokens: 100, cacheReadTokens: 400 } });
    expect({ exitCode, error: report.error }).toEqual({ exitCode: 0, error: undefined });
    expect(runner.read('sum.js')).toContain('a + b');
    const calls = server.requests.filter(({ kind }) => kind === 'main');
    expect(calls).toHaveLength(2);
    for (const { path: requested, headers, turn } of calls) {
      expect(requested).toMatch(path);
      expect(headers.authorization).toMatch(new RegExp(`Credential=ASIAEXAMPLE/\\d{8}/eu-central-1/${service}/aws4_request`));
      expect(headers['x-amz-security-token']).toBe('token');
      expect(turn!.model).toBe(model);
    }
    // Small work is done by the same model, since the role may invoke no other.
    expect(server.sideTurns.filter(({ model: other }) => other !== model)).toEqual([]);
  });

  test.each([
    ['rateLimit', AGENT_ERRORS.RATE_LIMITED],
    ['quota', AGENT_ERRORS.RATE_LIMITED],
    ['unauthorized', AGENT_ERRORS.NOT_LOGGED_IN],
    ['expired', AGENT_ERRORS.NOT_LOGGED_IN],
    ['modelNotAllowed', AGENT_ERRORS.MODEL_NOT_ALLOWED],
    ['modelUnknown', AGENT_ERRORS.MODEL_NOT_ALLOWED],
    ['modelRetired', AGENT_ERRORS.MODEL_NOT_ALLOWED],
    ['contextFull', AGENT_ERRORS.CONTEXT_FULL],
    ['overloaded', AGENT_ERRORS.UNAVAILABLE],
  ] as const)('fails with its own error for %s', async (failure, name) => {
    await start(program, { script: () => fail(failure, 0) });
    const { report, exitCode } = await runner.turn('Mend the sum');
    expect({ exitCode, error: report.error?.name }).toEqual({ exitCode: 1, error: name });
  }, 180_000);

  test('has the credentials of its role from the metadata of the machine, as in a session', async () => {
    const metadata = await InstanceMetadata.start('ASIAOFTHEROLE');
    try {
      await start(program, { script: () => say('Done.') }, {}, { AWS_REGION, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url });
      const { report } = await runner.turn('Mend the sum');
      expect({ summary: report.summary, error: report.error }).toEqual({ summary: 'Done.', error: undefined });
      expect(server.credentials).toEqual(['ASIAOFTHEROLE']);
    } finally {
      await metadata.stop();
    }
  });

  test('fails with its own error without credentials', async () => {
    await start(program, { script: () => say('Never') }, {}, { AWS_REGION, AWS_EC2_METADATA_DISABLED: 'true' });
    expect((await runner.turn('Mend the sum')).report.error?.name).toBe(AGENT_ERRORS.NOT_LOGGED_IN);
    expect(server.turns).toEqual([]);
  });

  test('fails with its own error if the model refuses', async () => {
    await start(program, { script: () => [say('I cannot do that.'), refuse()] });
    expect((await runner.turn('Mend the sum')).report.error?.name).toBe(AGENT_ERRORS.REFUSED);
  });
});

test('fails for a model that needs an inference profile', async () => {
  await start('claude-code', { script: () => say('Never') }, { model: 'anthropic.claude-sonnet-4-6' });
  const { report } = await runner.turn('Mend the sum');
  expect(report.error).toMatchObject({ name: AGENT_ERRORS.MODEL_NOT_ALLOWED, message: expect.stringContaining('inference profile') });
  expect(server.turns).toEqual([]);
});
