import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentImage, AgentRuntime, CodingLoop, Gate, GitRepository, Mount, RuntimeRollout, SmokeTest } from '../../src';
import { commandLine, CommandResult, WorkingCopy } from '../support/command-line';

jest.setTimeout(120_000);

let directory: string;
let copy: WorkingCopy;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'not-started-'));
  mkdirSync(join(directory, 'agent'));
  copy = new WorkingCopy({ 'answer': '41\n', 'test.sh': '#!/bin/bash\n[[ $(cat answer) == 42 ]]\n' });
});
afterEach(() => {
  copy.remove();
  rmSync(directory, { recursive: true, force: true });
});

const SERVER = `
import { createServer } from 'node:http';
import { execSync } from 'node:child_process';
createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => { text += chunk; }).on('end', () => {
    if (request.url === '/invocations') execSync('echo 42 > answer', { cwd: JSON.parse(text).workspace });
    response.end('{"status":"Healthy"}');
  });
}).listen(process.env.PORT);
`;

/** A loop whose agent is a server of the user's own. */
function synth({ rollout = true } = {}): string {
  const app = new App({ outdir: mkdtempSync(join(directory, 'cdk.out-')), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'agent',
    agentRuntimeArtifact: AgentImage.fromDirectory(join(directory, 'agent'), { command: ['node', 'server.mjs'] }),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  const smokeTests = [SmokeTest.writable('/mnt/workspace'), SmokeTest.command('git --version')];
  const endpoint = rollout ? new RuntimeRollout(stack, 'Rollout', { runtime, smokeTests }).endpoint : undefined;
  new CodingLoop(stack, 'Loop', { runtime, endpoint, repository: GitRepository.fromInput(), gates: [Gate.command('test', './test.sh')] });
  return app.synth().directory;
}

function rehearse(assembly: string, ...more: string[]): Promise<CommandResult> {
  return commandLine('rehearse', '--app', assembly, '--repository', copy.directory, '--prompt', 'What is the answer?', '--state', copy.state, '--sandbox', 'namespace', ...more);
}

test('fails the rollout of an agent that does not start after a few attempts, as the user\'s own, with its command and output', async () => {
  writeFileSync(join(directory, 'agent/README'), ''); // its server.mjs is missing
  const { exitCode, stdout, stderr } = await rehearse(synth());

  expect(stdout).toMatch(/^rolling out version 1 with Stack\/Rollout, and running its smoke tests: writable \/mnt\/workspace, git --version …\n/m);
  expect(stderr).toMatch(/^the rollout Stack\/Rollout of version 1 failed, because its agent does not start: the agent ended with exit code 1 before it was healthy, in each of 3 tries\n {2}command {4}node server\.mjs\n {2}started in \/\S+\n {2}it printed\n/);
  expect(stderr).toMatch(/^ {2}│ Error: Cannot find module '\S+\/server\.mjs'$/m);
  expect(stderr).toMatch(/^ {2}full log {3}\/\S+\.log$/m);
  expect(`${stdout}${stderr}`).not.toMatch(/CloudWatch|Rollout[0-9A-F]{8}/);
  expect(exitCode).toBe(1);

  // No leftover of it blocks an agent that starts.
  writeFileSync(join(directory, 'agent/server.mjs'), SERVER);
  const next = await rehearse(synth());
  expect([next.stderr, next.exitCode]).toEqual(['', 0]);
  expect(next.stdout).toMatch(/2 smoke tests passed: writable \/mnt\/workspace, git --version \(/);
});

test('a run whose agent does not start is red, is not an infrastructure failure, and names the command', async () => {
  writeFileSync(join(directory, 'agent/server.mjs'), 'console.log("no model is configured"); process.exit(4);\n');
  const { exitCode, stdout } = await rehearse(synth({ rollout: false }));

  expect(stdout).toMatch(/^Workbench\.ContainerError .*\n(?: {2}.*\n)*? {2}the agent ended with exit code 4 before it was healthy, in each of \d+ tries\n {4}command {4}node server\.mjs\n {4}started in \S+\n {2}in a rehearsal, "rehearse logs /m);
  expect(exitCode).toBe(1);
});
