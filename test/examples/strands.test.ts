import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PROGRAM_VERSIONS } from '../../src/agent/versions';
import { call, inOrder, ModelServer, say } from '../support/models';
import { newcomersClone } from '../support/newcomers-clone';
import { SYSTEM_PATH } from '../support/python-packages';

// It installs the agent's packages as the README says, and runs the whole loop.
jest.setTimeout(600_000);

const ROOT = resolve(__dirname, '../..');
const README = readFileSync(join(ROOT, 'examples/strands/README.md'), 'utf8');

let home: string;
let server: ModelServer;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'strands-example-'));
  server = await ModelServer.start({
    script: inOrder(
      [say('The first item is skipped.'), call('shell', { command: 'sed -i "s/index = 1/index = 0/" prices.mjs' })],
      say('All items are charged.'),
      [say('The discount begins too late.'), call('shell', { command: 'sed -i "s/sum > 10_000/sum >= 10_000/" prices.mjs' })],
      say('The discount begins at 100 euros.'),
    ),
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

test('the commands of the README end in a commit, with a scripted model in place of Amazon Bedrock', async () => {
  const clone = newcomersClone(home);
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  const [commands] = [...README.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text);
  const story = await bash(commands.replace('--env AWS_SESSION_TOKEN', '$& --env AWS_ENDPOINT_URL_BEDROCK_RUNTIME'), clone);

  expect(story).toMatch(/COMMITTED after 2 turns/);
  expect(story).toContain('The discount begins at 100 euros.');
  expect(story).toContain(`strands ${PROGRAM_VERSIONS.strands}`);
  expect(server.scriptErrors).toEqual([]);
  const [first, , repair] = server.turns;
  expect(first.model).toBe('global.anthropic.claude-sonnet-4-20250514-v1:0');
  expect(first.system).toContain('You repair programs');
  // The repair continues the conversation of the turn before it.
  expect(repair.lastUserText).toContain('a tenth is off at exactly 100 euros');
  expect(JSON.stringify(repair.messages)).toContain('All items are charged.');
  expect(server.credentials).toEqual(['AKIAEXAMPLE']);
});

/** Runs commands as a newcomer does, and returns what they print. */
function bash(commands: string, cwd: string): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${join(process.execPath, '..')}:${SYSTEM_PATH}`,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output += chunk);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => code === 0 ? done(output) : fail(new Error(`exit code ${code}:\n${output}`)));
  });
}
