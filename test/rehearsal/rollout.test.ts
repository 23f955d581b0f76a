import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { AgentHandler } from '../../rehearsal/agentcore';
import { Rehearsal, RehearsalProps } from '../../rehearsal/rehearsal';
import { RolloutFailedError } from '../../rehearsal/rollout/rollout';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, RuntimeRollout, SmokeTest } from '../../src';
import { reportOf } from '../../src/journal/report/report';
import { describeRollout } from '../../src/journal/rollout-description';
import { CommandLine, commandLine, CommandResult, WorkingCopy } from '../support/command-line';
import { commandLines } from '../support/host-processes';

jest.setTimeout(120_000);

let directory: string;
let copy: WorkingCopy;
let rehearsal: Rehearsal | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rollout-test-'));
  copy = new WorkingCopy({ 'answer': '41\n', 'test.sh': '#!/bin/bash\n[[ $(cat answer) == 42 ]]\n' });
});
afterEach(async () => {
  await rehearsal?.close();
  rehearsal = undefined;
  copy.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** A loop that uses the endpoint of its rollout. */
function synth(smokeTests?: SmokeTest[], environmentVariables?: { [name: string]: string }): string {
  const app = new App({ outdir: mkdtempSync(join(directory, 'cdk.out-')), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    runtimeName: 'agent',
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
    environmentVariables,
  });
  const rollout = new RuntimeRollout(stack, 'Rollout', { runtime, smokeTests });
  new CodingLoop(stack, 'Loop', { runtime, endpoint: rollout.endpoint, repository: GitRepository.fromInput(), gates: [Gate.command('test', './test.sh')] });
  return app.synth().directory;
}

/** Answers every turn with 42, and a smoke test with its name. */
const handler: AgentHandler = async (request, session) => {
  const { workspace } = request.json() as { workspace?: string };
  if (workspace === undefined) return 'the agent that writes 42';
  await session.exec('echo 42 > answer; ls -A .. > /tmp/seen', { workingDirectory: workspace });
  return 'done';
};

async function start(assembly: string, more: Partial<RehearsalProps> = {}): Promise<Rehearsal> {
  rehearsal = await Rehearsal.start({ assembly, repository: copy.directory, stateDirectory: copy.state, agent: { handler }, ...more });
  return rehearsal;
}

async function startAgain(assembly: string): Promise<Rehearsal> {
  await rehearsal!.close();
  return start(assembly);
}

const INPUT = { prompt: 'What is the answer?' };

test('runs a loop on the endpoint that its rollout has created and tested, with the handlers and policies of the template', async () => {
  const { rollouts, server } = await start(synth([
    SmokeTest.writable('/mnt/workspace'),
    SmokeTest.command('exit 7', { expectExitCode: 7 }),
    SmokeTest.invoke({ prompt: 'who are you?' }, { expect: 'writes 42' }),
  ]));
  expect(rollouts).toEqual([expect.objectContaining({ endpointName: 'v1', version: '1', tested: true, smokeTests: ['writable /mnt/workspace', 'exit 7', 'invoke'] })]);
  expect(server.calls.of('StopRuntimeSession')).toHaveLength(1);

  const record = await rehearsal!.run({ ...INPUT, taskId: 'answer' });

  expect([record.outcome, record.error, record.missingPermissions]).toEqual(['COMMITTED', undefined, []]);
  expect(record.session).toMatchObject({ endpointName: 'v1', workspace: expect.stringContaining('/v1/') });
  expect(record.calls.length).toBeLessThan(server.calls.all.length);
  expect(reportOf(record)).toMatch(/version 1 is rolled out as endpoint v1: 3 smoke tests passed/);
});

test('leaves out, by name, a test that needs the app\'s own image', async () => {
  await start(synth([SmokeTest.tools(), SmokeTest.writable('/mnt/workspace')]));
  expect(rehearsal!.rollouts).toEqual([expect.objectContaining({ tested: true, smokeTests: ['writable /mnt/workspace'], skipped: ['tools'] })]);
  expect(describeRollout(rehearsal!.rollouts[0])).toMatch(/^version 1 .*: 1 smoke test passed: writable \/mnt\/workspace \(.* s\)\n {2}left out: tools; only the app's own image has \/etc\/agent-image\.json/);

  const [{ endpointName, skipped }] = (await startAgain(synth([SmokeTest.tools()]))).rollouts;
  expect([endpointName, skipped, describeRollout(rehearsal!.rollouts[0])]).toEqual(['v1', ['tools'], expect.stringContaining('nothing was tested (')]);
});

test('does not repeat a passed test, and a new version keeps the workspaces of the previous one', async () => {
  await start(synth());
  const first = await rehearsal!.run({ ...INPUT, taskId: 'one' });
  writeFileSync(join(first.session!.workspace, 'mine'), '');
  expect((await startAgain(synth())).rollouts).toEqual([expect.objectContaining({ endpointName: 'v1', tested: false })]);

  const { rollouts } = await startAgain(synth(undefined, { LEVEL: 'more' }));
  expect(rollouts).toEqual([expect.objectContaining({ endpointName: 'v2', version: '2', tested: true })]);
  const second = await rehearsal!.run({ ...INPUT, taskId: 'two' });
  expect(second.session!.endpointName).toBe('v2');

  const { id, endpointName } = first.session!;
  const resumed = await rehearsal!.run({ ...INPUT, taskId: 'one', session: { id, endpointName } });
  expect([resumed.error, resumed.session!.endpointName, resumed.session!.workspace]).toEqual([undefined, 'v1', first.session!.workspace]);
  expect(existsSync(join(first.session!.workspace, 'mine'))).toBe(true);
});

test('looks for an agent that does not start on the endpoint of the rollout', async () => {
  await start(synth([]), { agent: { command: ['bash', '-c', 'echo no such model >&2; exit 1'] } });

  const record = await rehearsal!.run({ ...INPUT, taskId: 'answer' }, { retryDelay: 0 });

  expect(record.error?.name).toBe('Workbench.ContainerError');
  // Once for each attempt: a session that is just starting gets time.
  expect([record.session?.endpointName, record.steps.find(({ error }) => error !== undefined)?.log]).toEqual(['v1', expect.stringMatching(/^(?:no such model\n?){2,}$/)]);
});

test('fails for a version that does not pass, with the message of a deployment, and leaves nothing running', async () => {
  const assembly = synth([SmokeTest.command('echo the disk is full; exit 3')]);
  const started = start(assembly);

  await expect(started).rejects.toThrow(RolloutFailedError);
  await expect(started).rejects.toThrow(/^the rollout Stack\/Rollout of version 1 failed: smoke test ".*" on endpoint "v1" failed: exit code 3, expected 0: .*\noutput ends with:\nthe disk is full\nThis rehearsal used the programs of this machine: in a container of /);
  expect(existsSync(join(copy.state, 'lock'))).toBe(false);
  expect(readdirSync(join(copy.state, 'agentcore', 'microvms'))).toEqual([]);
  const [runtime] = JSON.parse(readFileSync(join(copy.state, 'agentcore/runtimes.json'), 'utf8')) as { endpoints: { name: string }[] }[];
  expect(runtime.endpoints.map(({ name }) => name)).toEqual(['DEFAULT']);

  const command = await commandLine('rehearse', '--app', assembly, '--repository', copy.directory, '--prompt', 'x', '--state', copy.state, '--json');
  expect(command).toEqual({ exitCode: 3, stdout: '', stderr: expect.stringMatching(/^preparing …\nrolling out version 1 with Stack\/Rollout, and running its smoke tests: .*\n[^]*the disk is full/) });
});

test.each(['CreateAgentRuntimeEndpoint', 'TagResource', 'InvokeAgentRuntimeCommand'])('fails at once for a rollout that may not do %s, with the statement that would allow it', async (action) => {
  const assembly = synth();
  const file = join(assembly, 'Stack.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: { [logicalId: string]: object } };
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    if (logicalId.startsWith('RolloutProviderIsCompleteRole')) {
      template.Resources[logicalId] = JSON.parse(JSON.stringify(resource).replace(`bedrock-agentcore:${action}"`, 'bedrock-agentcore:GetAgentCard"')) as object;
    }
  }
  writeFileSync(file, JSON.stringify(template));

  await expect(start(assembly)).rejects.toThrow(new RegExp(`role RolloutProviderIsCompleteRole\\w+ may not bedrock-agentcore:${action}; this statement would allow it: .*"Allow"`));
});

test('fails for a framework that may not call the handlers', async () => {
  const assembly = synth();
  const file = join(assembly, 'Stack.template.json');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"lambda:InvokeFunction"', '"lambda:GetFunction"'));

  await expect(start(assembly)).rejects.toThrow(/failed, as its deployment would: role RolloutProviderFramework\w+ is not authorized to perform: lambda:InvokeFunction/);
});

test('an interrupted smoke test leaves nothing behind, and the next start tests again', async () => {
  const seen = join(directory, 'seen');
  mkdirSync(seen);
  const assembly = synth([SmokeTest.command(`[ -e ${seen}/begun ] || { touch ${seen}/begun; sleep 1000; }`)]);
  const interruption = new AbortController();
  const watcher = watch(seen).once('change', () => interruption.abort(new Error('that is enough')));
  const started = start(assembly, { signal: interruption.signal, sharedDirectories: [seen] });

  await expect(started).rejects.toThrow('that is enough');
  watcher.close();
  expect(commandLines().filter((line) => line.includes(seen))).toEqual([]);
  expect(existsSync(join(copy.state, 'lock'))).toBe(false);
  expect((await start(assembly, { sharedDirectories: [seen] })).rollouts).toEqual([expect.objectContaining({ endpointName: 'v1', tested: true })]);
});

test('Ctrl-C during a smoke test ends the command with 130, and leaves nothing behind', async () => {
  const nap = `sleep 8${process.pid}`;
  const command = new CommandLine([
    'rehearse', '--app', synth([SmokeTest.command(nap)]), '--repository', copy.directory, '--prompt', 'x', '--state', copy.state, '--agent', `node -e '${SERVER}'`,
  ]);
  let ended: CommandResult | undefined;
  void command.ended.then((result) => ended = result);
  while (ended === undefined && !commandLines().includes(nap)) await new Promise((resolve) => setTimeout(resolve, 20));
  command.kill('SIGINT');

  expect(await command.ended).toEqual({ exitCode: 130, stdout: expect.stringMatching(/^preparing …\nrolling out .*\ninterrupted\n$/), stderr: '' });
  expect(commandLines().filter((line) => line.includes(nap) || line.includes(copy.state))).toEqual([]);
  expect(readdirSync(join(copy.state, 'agentcore', 'microvms'))).toEqual([]);
  expect(existsSync(join(copy.state, 'lock'))).toBe(false);
});

test('the story reports the rollout before the run', async () => {
  const { exitCode, stdout } = await commandLine(
    'rehearse', '--app', synth(), '--repository', copy.directory, '--prompt', 'x', '--state', copy.state, '--agent', `export AGENT=yes\nnode -e '${SERVER}'`);

  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/state: .*\nsandbox: namespace, .*\nversion 1 is rolled out as endpoint v1: 3 smoke tests passed: bash --version, git --version, writable \/mnt\/workspace \(\d+\.\d s\)\n\n[^]*Prepare the run[^]*COMMITTED/)]);
  const listed = await commandLine('rehearse', 'sessions', '--state', copy.state, '--json');
  const [{ id, workspace }] = JSON.parse(listed.stdout) as { id: string; workspace: string }[];
  expect(workspace).toContain('/v1/');
  expect((await commandLine('rehearse', 'logs', id, '--state', copy.state)).stdout).toContain('it writes 42 from /mnt/workspace');
});

/** An agent with the container contract. */
const SERVER = `
const { createServer } = require("http");
createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  if (request.url === "/ping") return response.end();
  console.log("it writes 42 from " + process.cwd());
  require("fs").writeFileSync(JSON.parse(body).workspace + "/answer", "42\\n");
  response.setHeader("content-type", "application/json").end("{}");
}).listen(process.env.PORT);
`;
