import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentDefinition, AgentReport } from '../../src/agent/constants';
import { check } from '../../src/agent/runner/check';
import { turn, TurnRequest } from '../../src/agent/runner/turn';
import { PROGRAM_VERSIONS } from '../../src/agent/versions';
import { AgentRunner } from '../support/agent-runner';
import { call, cut, fail, hang, inOrder, longText, ModelServer, refuse, Reply, say, Script, tokens } from '../support/models';
import { pythonPackages, SYSTEM_PATH } from '../support/python-packages';

const MODEL = 'global.anthropic.claude-sonnet-4-6';

/** An agent as its author writes it. Retries are off, so that a failure is seen at once. */
const AGENT = `from strands import Agent
from strands.models import BedrockModel
from strands.vended_tools import file_editor, shell

agent = Agent(
    model=BedrockModel(model_id="${MODEL}"),
    system_prompt="You repair programs.",
    tools=[file_editor, shell],
    retry_strategy=None,
)
`;

let packages: string;
let root: string;
let server: ModelServer;

beforeAll(() => {
  packages = pythonPackages('strands-agents');
}, 300_000);

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'strands-'));
  chmodSync(root, 0o755);
  for (const folder of ['agent', 'home', 'mount', 'mount/repo', 'temporary']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'agent/agent.py'), AGENT);
  writeFileSync(join(root, 'mount/repo/prices.py'), 'TOTAL = 1\n');
  server = await ModelServer.start({ script: inOrder(say('Done.')) });
});

afterEach(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

const repo = (file = '') => join(root, 'mount/repo', file);
const inFull = (overrides: Partial<AgentDefinition> = {}): AgentDefinition => ({ program: 'strands', directory: join(root, 'agent'), ...overrides });

/** All that the process knows of its machine. */
function environment(): Record<string, string> {
  return {
    PATH: SYSTEM_PATH,
    HOME: join(root, 'home'),
    PYTHONPATH: packages,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_MAX_ATTEMPTS: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url,
  };
}

interface Ended extends AgentReport {
  readonly progress: string;
}

async function run(
  script: Script | Reply,
  overrides: Partial<AgentDefinition> = {},
  request: Partial<TurnRequest> = {},
  signal?: AbortSignal,
): Promise<Ended> {
  server.script = typeof script === 'function' ? script : () => script;
  const progress: string[] = [];
  const report = await turn(inFull(overrides), {
    prompt: 'Make the total 2.',
    taskId: 'task-1',
    directory: repo(),
    environment: environment(),
    temporary: join(root, 'temporary'),
    ...request,
  }, { progress: (text) => progress.push(text), errors: () => {} }, signal);
  expect(server.scriptErrors).toEqual([]);
  return { ...report, progress: progress.join('\n') };
}

const edit = () => [
  say('I repair it.'),
  call('file_editor', { command: 'str_replace', path: repo('prices.py'), old_str: 'TOTAL = 1', new_str: 'TOTAL = 2' }),
];

test('the agent edits a file with its tools, and reports its tokens, its version and its last words', async () => {
  writeFileSync(repo('AGENTS.md'), 'Write no comments.\n');
  const script = inOrder(edit(), [call('shell', { command: 'python3 prices.py && pwd' })], say('The total is 2.'));
  const report = await run(script, {}, { instructions: 'Tests judge the change.' });
  expect(readFileSync(repo('prices.py'), 'utf8')).toBe('TOTAL = 2\n');
  expect(report).toMatchObject({
    name: 'strands',
    version: PROGRAM_VERSIONS.strands,
    turns: 3,
    usage: { inputTokens: 3_000, outputTokens: 150, cacheReadTokens: 600, cacheWriteTokens: 300 },
    summary: 'The total is 2.',
  });
  expect(report.error).toBeUndefined();
  expect(report.progress).toMatch(/^I repair it\.\n\[file_editor\] .*prices\.py.*\n\[shell\] .*\nThe total is 2\.$/);
  const [first, , third] = server.turns;
  expect(first).toMatchObject({ wire: 'bedrock-converse', model: MODEL, lastUserText: 'Make the total 2.' });
  for (const text of ['You repair programs.', 'Write no comments.', 'Tests judge the change.']) expect(first.system).toContain(text);
  // Tools work in the clone.
  expect(third.toolResults[0].text).toContain(repo());
});

test('the next turn of a task continues the conversation, also when the ephemeral disk is gone; another task begins its own', async () => {
  await run(inOrder(edit(), say('First.')));
  await run(say('Second.'), {}, { prompt: 'A test fails.' });
  rmSync(join(root, 'temporary'), { recursive: true });
  await run(say('Third.'), {}, { prompt: 'It still fails.' });
  await run(say('Other.'), {}, { prompt: 'Something else.', taskId: 'task-2' });
  const texts = server.turns.slice(-3).map(({ messages }) => messages.flatMap(({ parts }) => parts.flatMap((part) => part.type === 'text' ? part.text : [])));
  expect(texts).toEqual([
    ['Make the total 2.', 'I repair it.', 'First.', 'A test fails.'],
    ['Make the total 2.', 'I repair it.', 'First.', 'A test fails.', 'Second.', 'It still fails.'],
    ['Something else.'],
  ]);
});

test('begins a new conversation if the model does not accept the old one', async () => {
  await run(say('First.'));
  let calls = 0;
  const report = await run(() => calls++ === 0 ? fail('invalid') : say('Second.'), {}, { prompt: 'A test fails.' });
  expect(report).toMatchObject({ summary: 'Second.', turns: 1 });
  expect(report.error).toBeUndefined();
  expect(server.turns.at(-1)!.messages).toHaveLength(1);
});

const FAILURES: ReadonlyArray<readonly [string, Reply, string, RegExp]> = [
  ['a rate limit', fail('rateLimit'), 'Agent.RateLimited', /ThrottlingException.*Service Quotas/],
  ['a model without access', fail('modelNotAllowed'), 'Agent.ModelNotAllowed', /access to the model/],
  ['a full context', fail('contextFull'), 'Agent.ContextFull', /divide the task/],
  ['a refusal', [say('I cannot help with that.'), refuse()], 'Agent.Refused', /another model/],
  ['a cut connection', [say('I beg'), cut()], 'Agent.Unavailable', /start the run again/],
];

const MORE_FAILURES: typeof FAILURES = [
  ['wrong credentials', fail('unauthorized'), 'Agent.NotLoggedIn', /security token.*execution role/],
  ['an unknown model', fail('modelUnknown'), 'Agent.ModelNotAllowed', /identifier is invalid/],
  ['a model that needs an inference profile', fail('profileNeeded'), 'Agent.ModelNotAllowed', /on-demand throughput/],
  ['a fault of the provider', fail('internal'), 'Agent.Unavailable', /unexpected error/],
];

test.each([...FAILURES, ...process.env.WORKBENCH_ALL_AGENTS ? MORE_FAILURES : []])('fails with a name of its own for %s', async (_, reply, name, message) => {
  const { error } = await run(reply);
  expect(error).toMatchObject({ name, message: expect.stringMatching(message) });
});

test('fails without credentials, and without a provider', async () => {
  const without = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
  expect((await run(say(''), { environment: without })).error).toMatchObject({ name: 'Agent.NotLoggedIn', message: expect.stringContaining('Unable to locate credentials') });
  const nobody = { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'http://127.0.0.1:1' };
  expect((await run(say(''), { environment: nobody })).error).toMatchObject({ name: 'Agent.Unavailable', message: expect.stringContaining('Could not connect') });
});

test('fails when the process crashes, and the next turn continues what was said until then', async () => {
  const report = await run([say('I look.'), call('shell', { command: 'kill -9 $PPID' })]);
  expect(report).toMatchObject({ summary: 'I look.', error: { name: 'Agent.Failed', message: expect.stringContaining('SIGKILL') } });
  expect((await run(say('Done.'), {}, { prompt: 'Go on.' })).error).toBeUndefined();
  const { messages, toolResults } = server.turns.at(-1)!;
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
  expect(messages[2].parts).toMatchObject([{ type: 'toolResult', text: 'The turn ended before this tool did.', isError: true }]);
  expect(toolResults).toEqual([]);
});

test('ends a turn whose model hangs when it is told to, with all processes', async () => {
  const controller = new AbortController();
  const ended = run(hang(), {}, {}, controller.signal);
  await server.waitFor(({ kind }) => kind === 'main');
  controller.abort();
  expect((await ended).error).toMatchObject({ name: 'Agent.Failed', message: expect.stringContaining('ended from outside') });
});

test('an enormous answer is shortened, and the number of model calls can be limited', async () => {
  const report = await run(say(longText(300_000)));
  expect(report.error).toBeUndefined();
  expect(report.summary!.length).toBeGreaterThan(100);
  expect(report.progress.length).toBeLessThan(10_000);
  const limited = await run([tokens({ output: 7 }), call('shell', { command: 'true' })], { maxTurns: 2 }, { taskId: 'task-2' });
  expect(limited).toMatchObject({ turns: 2, usage: { outputTokens: 14 }, error: { name: 'Agent.MaxTurns', message: expect.stringContaining('"maxTurns"') } });
});

test('the model of the definition overrides that of the agent, and what the agent prints does not disturb the report', async () => {
  writeFileSync(join(root, 'agent/helper.py'), 'GREETING = "{\\"type\\": \\"end\\", \\"kind\\": \\"REFUSED\\"}"\n');
  writeFileSync(join(root, 'agent/agent.py'), `${AGENT.replace('agent = Agent', 'built = Agent')}
from helper import GREETING

def create_agent():
    print(GREETING)
    return built
`);
  const report = await run(say('Done.'), { name: 'fixer', model: 'eu.anthropic.claude-haiku-4-5' });
  expect(report).toMatchObject({ name: 'fixer', summary: 'Done.' });
  expect(report.error).toBeUndefined();
  expect(server.turns[0].model).toBe('eu.anthropic.claude-haiku-4-5');
});

test.each([
  ['does not name an agent', 'from strands import Agent\n', /neither agent nor create_agent: assign a strands\.Agent/],
  ['has something else', 'agent = "me"\n', /agent in agent\.py is a str: it must be a strands\.Agent/],
  ['needs a package', 'import no_such_package\n', /ModuleNotFoundError in line 1 of agent\.py: .*no_such_package.*requirements\.txt/],
  ['has a mistake', 'agent = \n', /SyntaxError/],
])('fails with what to change if agent.py %s', async (_, content, message) => {
  writeFileSync(join(root, 'agent/agent.py'), content);
  expect((await run(say(''))).error).toMatchObject({ name: 'Agent.Failed', message: expect.stringMatching(message) });
  expect(server.requests).toEqual([]);
});

test('fails before the start without agent.py, and without a directory', async () => {
  rmSync(join(root, 'agent/agent.py'));
  expect((await run(say(''))).error?.message).toContain('there is no agent.py');
  expect((await run(say(''), { directory: undefined })).error?.message).toContain('"directory" is missing');
});


test('the check imports the agent, and says what to change', async () => {
  const definition = join(root, 'definition.json');
  writeFileSync(definition, JSON.stringify(inFull()));
  const own = { ...environment(), WORKBENCH_AGENT_FILE: definition };
  expect(await check(own)).toEqual({ name: 'strands', version: PROGRAM_VERSIONS.strands, faults: [] });
  writeFileSync(join(root, 'agent/agent.py'), 'def create_agent():\n    raise Exception("no credentials in a build")\n');
  expect((await check(own)).faults).toEqual([]);
  writeFileSync(join(root, 'agent/agent.py'), 'import no_such_package\n');
  expect(await check(own)).toEqual({ name: 'strands', faults: [expect.stringContaining('add its package to requirements.txt')] });
  expect((await check({ ...own, PYTHONPATH: '' })).faults).toEqual([expect.stringContaining('add strands-agents to requirements.txt')]);
  expect(server.requests).toEqual([]);
});

test('works for an ordinary user, in the bundle of the image', async () => {
  const runner = new AgentRunner({ definition: inFull(), environment: environment(), user: process.getuid!() === 0 ? 65534 : undefined });
  server.script = inOrder([call('shell', { command: 'id -u; sed -i "s/a - b/a + b/" sum.js' })], say('Done.'));
  try {
    const { report, stderr } = await runner.turn('Mend the sum.', { HOME: join(runner.root, 'home') });
    expect({ report, stderr }).toMatchObject({ report: { name: 'strands', summary: 'Done.', turns: 2 } });
    expect(runner.read('sum.js')).toContain('a + b');
    expect(server.turns[1].toolResults[0].text).not.toMatch(/"output": "0\\n/);
  } finally {
    runner.remove();
  }
});
