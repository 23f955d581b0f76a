import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { AgentHandler } from '../../rehearsal/agentcore';
import { exitCodeOf } from '../../rehearsal/cli/run';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { reportOf } from '../../rehearsal/report/report';
import { AgentRuntime, CodingLoop, Filesystem, Gate, GitRepository } from '../../src';
import { WorkingCopy } from '../support/command-line';

jest.setTimeout(120_000);

let directory: string;
let copy: WorkingCopy;
let rehearsal: Rehearsal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rehearsal-test-'));
  copy = new WorkingCopy({ 'answer': '41\n', 'test.sh': '#!/bin/bash\necho "the answer is $(cat answer)"\n[[ $(cat answer) == 42 ]]\n' });
});
afterEach(async () => {
  await rehearsal?.close();
  copy.remove();
  rmSync(directory, { recursive: true, force: true });
});

function synth(): string {
  const app = new App({ outdir: join(directory, 'cdk.out'), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    filesystems: [Filesystem.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromInput(), gates: [Gate.command('test', './test.sh')] });
  return app.synth().directory;
}

/** Answers each turn with the next of these. */
function writes(...answers: string[]): AgentHandler {
  return async (request, session) => {
    const { workspace, round } = request.json() as { workspace: string; round: number };
    await session.exec(`echo ${answers[round]} > answer`, { workingDirectory: workspace });
    return { done: true };
  };
}

test('a loop of one\'s own stack repairs what a gate refuses, and survives a lost microVM', async () => {
  rehearsal = await Rehearsal.start({ assembly: synth(), repository: copy.directory, agent: { handler: writes('43', '42') } });
  rehearsal.inject({ operation: 'InvokeAgentRuntimeCommand', at: 'firstByte', kind: 'replaceMicrovm', match: ({ command = '' }) => command.includes('./test.sh') });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect(record.outcome).toBe('COMMITTED');
  expect(record.faults).toEqual(['replaceMicrovm in InvokeAgentRuntimeCommand']);
  expect(record.steps.filter(({ kind }) => kind === 'gate').map(({ verdict }) => verdict)).toEqual(expect.arrayContaining(['FAILED', 'PASSED']));
  expect(record.commit?.patch).toContain('-41\n+42');
  expect(record.missingPermissions).toEqual([]);
});

test('runs that begin at once share the copy of a repository, and nothing else', async () => {
  rehearsal = await Rehearsal.start({ assembly: synth(), repository: copy.directory, agent: { handler: writes('43', '42') } });

  const records = await Promise.all(['one', 'two', 'three', 'four'].map((taskId) => rehearsal.run({ prompt: 'What is the answer?', taskId }, { retryDelay: 0 })));

  expect(records.map(({ outcome, error }) => error ?? outcome)).toEqual(records.map(() => 'COMMITTED'));
  expect(new Set(records.map(({ repository }) => repository.copy)).size).toBe(1);
  expect(new Set(records.map(({ session }) => session?.workspace)).size).toBe(4);
  expect(records.map(({ commit }) => commit?.branch)).toEqual(['one', 'two', 'three', 'four'].map((taskId) => `workbench/${taskId}`));
});

test('fails for a permission that the template lacks, with the statement that would give it', async () => {
  const assembly = synth();
  const file = join(assembly, 'Stack.template.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('bedrock-agentcore:StopRuntimeSession', 'bedrock-agentcore:GetAgentCard'));
  rehearsal = await Rehearsal.start({ assembly, repository: copy.directory, agent: { handler: writes('42') } });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect(record.missingPermissions).toEqual([expect.objectContaining({ action: 'bedrock-agentcore:StopRuntimeSession' })]);
  expect(record.missingPermissions[0].role).toMatch(/SessionDriverRole/);
  expect(JSON.parse(record.missingPermissions[0].statement)).toEqual({
    Effect: 'Allow', Action: 'bedrock-agentcore:StopRuntimeSession', Resource: rehearsal.loop.runtimeArn,
  });
  expect(exitCodeOf(record)).toBe(3);
});

test('fails for a state machine that may not call its function', async () => {
  const assembly = synth();
  const file = join(assembly, 'Stack.template.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"lambda:InvokeFunction"', '"lambda:GetFunction"'));
  rehearsal = await Rehearsal.start({ assembly, repository: copy.directory, agent: { handler: writes('42') } });

  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });

  expect([record.missingPermissions.map(({ action }) => action), exitCodeOf(record)]).toEqual([['lambda:InvokeFunction'], 3]);
});

test('fails before the start for what is not emulated, by name', async () => {
  const assembly = synth();
  const file = join(assembly, 'Stack.template.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('nodejs24.x', 'python3.13'));

  await expect(Rehearsal.start({ assembly, repository: copy.directory }))
    .rejects.toThrow(/Stack\/Loop cannot be rehearsed: state "Prepare the run" needs the function \w+, which is not Node.js code/);
});

test('what a run prints cannot become markup of its report', async () => {
  rehearsal = await Rehearsal.start({ assembly: synth(), repository: copy.directory, agent: { handler: writes('"<script>alert(1)</script>"', '42') } });

  const report = reportOf(await rehearsal.run({ prompt: '<b>What</b> is the answer?', taskId: 'answer' }));

  expect(report).toContain('the answer is &lt;script&gt;alert(1)&lt;/script&gt;');
  expect(report).not.toMatch(/<script|<b>/);
});
