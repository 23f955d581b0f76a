import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentDefinition, AgentReport } from '../../src/agent/constants';
import { turn, TurnRequest } from '../../src/agent/runner/turn';
import { PROGRAM_VERSIONS } from '../../src/agent/versions';
import { AgentRunner } from '../support/agent-runner';
import { fail, hang, inOrder, longText, ModelServer, Reply, say, Script, tokens } from '../support/models';
import { pythonPackages, SYSTEM_PATH } from '../support/python-packages';

const MODEL = 'global.anthropic.claude-sonnet-4-5-20250929-v1:0';

let packages: string;
let root: string;
let server: ModelServer;

const repo = (file = '') => join(root, 'mount/repo', file);
const git = (...args: string[]) => execFileSync('git', args, { cwd: repo(), encoding: 'utf8' });

// The program and its packages have 690 MB.
const nightly = process.env.WORKBENCH_ALL_AGENTS ? describe : describe.skip;

nightly('aider, with a model on Amazon Bedrock', () => {
  beforeAll(() => {
    packages = pythonPackages('aider-chat');
  }, 600_000);

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'aider-'));
    for (const folder of ['home', 'mount', 'mount/repo', 'temporary']) mkdirSync(join(root, folder));
    git('init', '--quiet');
    writeFileSync(repo('prices.py'), 'TOTAL = 1\n');
    writeFileSync(repo('AGENTS.md'), 'Write no comments.\n');
    git('add', '.');
    git('-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '--message', 'Prices');
    server = await ModelServer.start({ script: inOrder(say('Done.')), sideScript: (request) => server.script(request) });
  });

  afterEach(async () => {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  test('the agent edits a file that the prompt names, and reports its tokens, its cost and its last words', async () => {
    const report = await run(edit('TOTAL = 1', 'TOTAL = 2'), {}, { instructions: 'Tests judge the change.' });
    expect(readFileSync(repo('prices.py'), 'utf8')).toBe('TOTAL = 2\n');
    expect(report).toMatchObject({ name: 'aider', version: PROGRAM_VERSIONS.aider, turns: 1, usage: { inputTokens: 1_000, outputTokens: 50 } });
    expect(report.error).toBeUndefined();
    expect(report.costUsd).toBeGreaterThan(0);
    expect(report.summary).toMatch(/^I repair it\./);
    expect(report.progress).toContain('Applied edit to prices.py');
    const [{ model, system, messages }] = server.sideTurns;
    expect(model).toBe(MODEL);
    for (const text of ['Make the total 2 in prices.py.', 'Write no comments.', 'Tests judge the change.']) expect(JSON.stringify([system, messages])).toContain(text);
    // It neither commits, nor configures the clone, nor writes to the home of the user.
    expect(git('log', '--oneline').trim().split('\n')).toHaveLength(1);
    expect(readFileSync(repo('.git/config'), 'utf8')).not.toContain('user');
    expect(readdirSync(join(root, 'home'))).toEqual([]);
    expect(git('status', '--porcelain', '--', '.', ':!.aider*')).toBe(' M prices.py\n');
  });

  test('the next turn of a task continues the conversation with the files that it edited, also when the ephemeral disk is gone', async () => {
    await run(edit('TOTAL = 1', 'TOTAL = 2'));
    rmSync(join(root, 'temporary'), { recursive: true });
    await run(edit('TOTAL = 2', 'TOTAL = 3'), {}, { prompt: '/one test fails.' });
    expect(readFileSync(repo('prices.py'), 'utf8')).toBe('TOTAL = 3\n');
    const text = JSON.stringify(server.sideTurns.at(-1)!.messages);
    for (const part of ['Make the total 2 in prices.py.', 'TOTAL = 1', '/one test fails.']) expect(text).toContain(part);
    await run(say('Other.'), {}, { prompt: 'Something else.', taskId: 'task-2' });
    expect(JSON.stringify(server.sideTurns.at(-1)!.messages)).not.toContain('Make the total');
  });

  test.each<[string, Reply, string]>([
    ['a rate limit', fail('rateLimit'), 'Agent.RateLimited'],
    ['wrong credentials', fail('unauthorized'), 'Agent.NotLoggedIn'],
    ['a model without access', fail('modelNotAllowed'), 'Agent.ModelNotAllowed'],
    ['an unknown model', fail('modelUnknown'), 'Agent.ModelNotAllowed'],
    ['a full context', fail('contextFull'), 'Agent.ContextFull'],
    ['a fault of the provider', fail('internal'), 'Agent.Unavailable'],
    ['an empty answer', say(''), 'Agent.Refused'],
  ])('fails with a name of its own for %s', async (_, reply, name) => {
    expect((await run(reply)).error).toMatchObject({ name });
  }, 180_000);

  test('fails without credentials, without a model, and when the program crashes', async () => {
    const without = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    expect((await run(say(''), { environment: without })).error).toMatchObject({ name: 'Agent.NotLoggedIn' });
    expect((await run(say(''), { provider: undefined, model: undefined })).error?.message).toContain('"model" is missing');
    expect((await run(say(''), { arguments: ['--no-such-option'] })).error).toMatchObject({ name: 'Agent.Failed', message: expect.stringContaining('exit code 2') });
  });

  test('works for an ordinary user, in the bundle of the image', async () => {
    const user = process.getuid!() === 0 ? 65534 : undefined;
    const runner = new AgentRunner({
      definition: { program: 'aider', provider: 'bedrock', model: MODEL },
      programs: [join(packages, 'bin')],
      environment: environment(),
      user,
    });
    // The program adds the file to the index.
    if (user !== undefined) execFileSync('chown', ['-R', `${user}`, runner.clone]);
    server.script = () => edit('module.exports = (a, b) => a - b;', 'module.exports = (a, b) => a + b;', 'sum.js');
    try {
      const { report, stderr } = await runner.turn('Mend sum.js.', { HOME: join(runner.root, 'home') });
      expect({ report, stderr }).toMatchObject({ report: { name: 'aider', turns: 1, summary: expect.stringContaining('I repair it.') } });
      expect(runner.read('sum.js')).toContain('a + b');
    } finally {
      runner.remove();
    }
  });

  test('ends a turn whose model hangs when it is told to, and an enormous answer is shortened', async () => {
    const controller = new AbortController();
    const ended = run(hang(), {}, {}, controller.signal);
    await server.waitFor(({ kind }) => kind === 'side');
    controller.abort();
    expect((await ended).error).toMatchObject({ name: 'Agent.Failed', message: expect.stringContaining('ended from outside') });
    const report = await run(say(longText(300_000)), {}, { taskId: 'task-2' });
    expect(report.error).toBeUndefined();
    expect(report.summary!.length).toBeGreaterThan(100);
  });
});

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
  const report = await turn({ program: 'aider', provider: 'bedrock', model: MODEL, ...overrides }, {
    prompt: 'Make the total 2 in prices.py.',
    taskId: 'task-1',
    directory: repo(),
    environment: environment(),
    temporary: join(root, 'temporary'),
    ...request,
  }, { progress: (text) => progress.push(text), errors: () => {} }, signal);
  expect(server.scriptErrors).toEqual([]);
  return { ...report, progress: progress.join('\n') };
}

/** All that the process knows of its machine. */
function environment(): Record<string, string> {
  return {
    PATH: `${join(packages, 'bin')}:${SYSTEM_PATH}`,
    HOME: join(root, 'home'),
    PYTHONPATH: packages,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_BEDROCK_RUNTIME_ENDPOINT: server.url,
  };
}

/** An answer with a block of search and replace, without the provider's cache, whose tokens the program counts twice. */
function edit(from: string, to: string, file = 'prices.py'): Reply {
  const block = `${file}\n\`\`\`\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n\`\`\`\n`;
  return [say(`I repair it.\n\n${block}`), tokens({ cacheRead: 0, cacheWrite: 0 })];
}
