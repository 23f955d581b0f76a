import { chmodSync, rmSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import type { RehearsalRecord } from '../../../../rehearsal/run/record';
import { AgentImage, AgentRuntime, AgentTurn, CodingLoop, Gate, GitRepository, Mount, RuntimeRollout, SmokeTest } from '../../../../src';
import { CommandLine, WorkingCopy } from '../../../support/command-line';
import { ContainerStore, succeed } from '../../../support/container-store';
import { directoryOf, importBase } from '../../../support/image-parts';

jest.setTimeout(300_000);

let store: ContainerStore;
let copy: WorkingCopy;
let assembly: string;
const directories: string[] = [];

beforeAll(async () => {
  store = new ContainerStore();
  await importBase(store);
  assembly = synthesize();
});
afterAll(async () => {
  await store.dispose();
  directories.forEach((path) => rmSync(path, { recursive: true }));
});
beforeEach(() => {
  copy = new WorkingCopy({ 'value.txt': 'wrong\n', 'test.sh': '#!/bin/bash\necho "value is $(cat value.txt)"\n[[ $(cat value.txt) == right && -e /etc/agent-image.json ]]\n' });
});
afterEach(async () => {
  copy.remove();
  expect(await succeed('podman', ['ps', '--all', '--quiet'], { env: store.env })).toBe('');
});

/** A loop whose agent and tools are in its own image, behind a rollout that checks them. */
function synthesize(): string {
  const outdir = directoryOf({});
  const agent = directoryOf({ 'agent.sh': '#!/bin/bash\nif grep -q "value is better" -; then echo right > value.txt; else echo better > value.txt; fi\n' });
  chmodSync(`${agent}/agent.sh`, 0o755);
  directories.push(outdir, agent);
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'agent',
    agentRuntimeArtifact: AgentImage.fromDirectory(agent, { command: ['/app/agent.sh'] }),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  const rollout = new RuntimeRollout(stack, 'Rollout', { runtime, smokeTests: [SmokeTest.tools(), SmokeTest.writable('/mnt/workspace')] });
  new CodingLoop(stack, 'Loop', {
    runtime,
    endpoint: rollout.endpoint,
    repository: GitRepository.fromInput(),
    turn: AgentTurn.command('/app/agent.sh'),
    gates: [Gate.command('test', './test.sh')],
  });
  return app.synth().directory;
}

/** The command in a process of its own, with only the engine of the test. */
function rehearse(...args: string[]): CommandLine['ended'] {
  return new CommandLine(['rehearse', ...args, '--state', copy.state], {
    env: { ...store.env, BUILDAH_ISOLATION: 'chroot', DOCKER_HOST: 'unix:///not-there' },
  }).ended;
}

test('a loop reaches a commit in containers of the app\'s own image, a shell opens there, and another run continues', async () => {
  const run = ['--app', assembly, '--repository', copy.directory, '--sandbox', 'container', '--prompt', 'Make it right', '--task', 'right'];
  const told = await rehearse(...run);

  expect(told.stderr).toBe('');
  expect(told.stdout).toMatch(
    /^preparing …\nbuilding the image of the app[^]*sandbox: container \(podman\), with the programs of localhost\/agent-rehearsal:\w+\nversion 1 is rolled out as endpoint v1: 2 smoke tests passed[^]*FAILED, exit code 1[^]*COMMITTED after 2 turns/);
  const [, id] = /^session +(\S+)/m.exec(told.stdout)!;
  const shell = new CommandLine(['rehearse', 'shell', id, '--state', copy.state], { env: store.env, terminal: true });
  await shell.prints(/session .*\/mnt\/workspace\/repo [$#] /);
  shell.type('[ -t 0 ] && ls /etc/agent-image.json && cat value.txt; exit 3\n');
  expect(await shell.ended).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/\/etc\/agent-image.json\r?\nright/) });

  const { stdout } = await rehearse('--session', id, '--prompt', 'Once more', '--json');
  const record = JSON.parse(stdout) as RehearsalRecord;
  expect(record.session).toMatchObject({ id, endpointName: 'v1', sandbox: { kind: 'container', tool: 'podman', image: expect.stringMatching(/^localhost\/agent-rehearsal:/) } });
  expect(record.rollouts).toMatchObject([{ endpointName: 'v1', tested: false }]);

  // Without an app, any image with bash and git is suitable.
  const plain = await rehearse('--repository', copy.directory, '--image', record.session!.sandbox.image!, '--agent', 'cp /etc/agent-image.json value.txt',
    '--gate', 'test=[ -s value.txt ]', '--prompt', 'Which tools?', '--json');
  expect([plain.exitCode, (JSON.parse(plain.stdout) as RehearsalRecord).commit?.patch]).toEqual([0, expect.stringContaining('"name": "git"')]);
});
