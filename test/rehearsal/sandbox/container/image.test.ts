import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Assembly } from '../../../../rehearsal/assembly';
import { Rehearsal } from '../../../../rehearsal/rehearsal';
import { imageOfRuntime } from '../../../../rehearsal/run/image-agent';
import { buildImage, chooseSandbox, SandboxDriver } from '../../../../rehearsal/sandbox';
import { AgentImage, AgentRuntime, CodingLoop, DevTool, Gate, GitRepository, Mount } from '../../../../src';
import { SYSTEM_CLOCK } from '../../../../src/handler/clock';
import { PINNED_VERSIONS } from '../../../../src/image/versions';
import { runJob } from '../../../../src/jobs/run-job';
import { ServerFixture } from '../../../support/agentcore';
import { certificateArguments, ContainerStore } from '../../../support/container-store';
import { directoryOf, importBase, importMise, NodeMirror, startNodeMirror } from '../../../support/image-parts';

/** An app's own image, from its cloud assembly to a commit, with podman alone. */
jest.setTimeout(300_000);

/** Repairs what the prompt's feedback names; its first attempt is not enough. Listens on the contract's port, unless another is given. */
const AGENT = `
const { createServer } = require('http');
const { writeFileSync } = require('fs');
createServer(async (request, response) => {
  if (request.url === '/ping') return response.end('{"status":"Healthy"}');
  let body = '';
  for await (const chunk of request) body += chunk;
  const { workspace, feedback } = JSON.parse(body);
  writeFileSync(workspace + '/value.txt', feedback ? 'right\\n' : 'better\\n');
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ node: process.version, user: process.getuid(), directory: process.cwd() }));
}).listen(process.env.PORT || 8080, '0.0.0.0');
`;

const directories: string[] = [];
const directory = (files: { [path: string]: string }) => {
  directories.push(directoryOf(files));
  return directories.at(-1)!;
};

let store: ContainerStore;
let mirror: NodeMirror;
let assembly: string;
let sandbox: SandboxDriver;

beforeAll(async () => {
  store = new ContainerStore();
  mirror = await startNodeMirror();
  await importBase(store);
  await importMise(store);
  assembly = synthesize(directory({ 'agent.js': AGENT }));
  const stack = Assembly.load(assembly).stack();
  const asset = imageOfRuntime(stack, stack.find('AWS::BedrockAgentCore::Runtime'))!;
  const flags = ['--isolation', 'chroot', '--pull=never', '--network', 'host', ...certificateArguments()];
  sandbox = await chooseSandbox({
    driver: 'container',
    image: (tool) => buildImage(tool, asset, { flags }),
    environment: { ...store.env, DOCKER_HOST: 'unix:///not-there' },
  });
});

afterAll(async () => {
  await mirror.close();
  await store.dispose();
  directories.forEach((path) => rmSync(path, { recursive: true }));
});

function synthesize(agent: string): string {
  const app = new App({ outdir: directory({}), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'agent',
    agentRuntimeArtifact: AgentImage.fromDirectory(agent, {
      command: ['node', 'agent.js'],
      tools: [DevTool.nodejs('22')],
      miseSettings: { MISE_NODE_MIRROR_URL: mirror.url },
    }),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromInput(), gates: [Gate.command('test', './test.sh'), Gate.command('node', 'node --version')] });
  return app.synth().directory;
}

test('the sandbox has the command, the directory and the user of the image', () => {
  expect(sandbox.image).toMatchObject({ command: ['node', 'agent.js'], workingDirectory: '/app', user: 1000, group: 1000 });
});

test('a server\'s session runs jobs and invocations in it, each of two sessions in its own container', async () => {
  const fixture = await ServerFixture.start({ agent: sandbox.image }, { sandbox });
  try {
    const sessions = [fixture.sessionId, `${fixture.sessionId}-another`];
    const job = (sessionId: string, command: string) => runJob(
      { runtimeArn: fixture.arn, qualifier: 'DEFAULT', sessionId, run: 'run', name: command, command, mount: '/mnt/workspace', timeoutSeconds: 60 },
      { client: fixture.client, clock: SYSTEM_CLOCK, until: Date.now() + 60_000, backoffSeconds: 0, onRetry: () => undefined },
    );
    for (const sessionId of sessions) {
      expect(await job(sessionId, 'cat /etc/agent-image.json; touch /tmp/mine /mnt/workspace/kept; node --version')).toMatchObject({
        verdict: 'PASSED', exitCode: 0, tail: expect.stringMatching(new RegExp(`"name": "node".*v${PINNED_VERSIONS.node[22]}\n$`, 's')),
      });
    }
    const answer = await fixture.invoke({ workspace: '/mnt/workspace' }, { runtimeSessionId: sessions[1] });
    expect(JSON.parse(await answer.text())).toEqual({ node: `v${PINNED_VERSIONS.node[22]}`, user: 0, directory: '/app' });
    expect(fixture.server.warnings).toContainEqual(expect.stringContaining('the image runs as user 1000, but the sandbox as user 0'));
    await fixture.server.replaceMicrovm(fixture.arn, sessions[0]);
    expect(await job(sessions[0], 'ls /tmp/mine; ls /mnt/workspace')).toMatchObject({ verdict: 'PASSED', tail: expect.stringMatching(/cannot access '\/tmp\/mine'[^]*kept\n$/) });
    expect(await job(sessions[0], 'not-a-tool')).toMatchObject({ verdict: 'INERT', exitCode: 127 });
  } finally {
    await fixture.close();
  }
});

test('a loop goes from red to a commit in it, with the agent and the tools of the image', async () => {
  const repository = directory({ 'value.txt': 'wrong\n', 'test.sh': '#!/bin/bash\necho "value is $(cat value.txt)"\n[[ $(cat value.txt) == right ]]\n' });
  chmodSync(join(repository, 'test.sh'), 0o755);
  for (const words of [['init', '--quiet', '--initial-branch', 'main'], ['add', '--all'], ['commit', '--quiet', '--message', 'the beginning']]) {
    execFileSync('git', ['-c', 'user.name=seed', '-c', 'user.email=seed@localhost', ...words], { cwd: repository });
  }
  const rehearsal = await Rehearsal.start({ assembly, repository, sandbox });
  try {
    const record = await rehearsal.run({ prompt: 'Make it right', taskId: 'task-1' });
    expect(record).toMatchObject({ outcome: 'COMMITTED', error: undefined, output: { rounds: 2 } });
    const git = (...words: string[]) => execFileSync('git', ['--git-dir', record.repository.copy, ...words], { encoding: 'utf8' });
    expect(git('show', 'workbench/task-1:value.txt')).toBe('right\n');
  } finally {
    await rehearsal.close();
  }
});
