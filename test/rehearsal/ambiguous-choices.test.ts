import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../../src';
import { WorkingCopy } from '../support/command-line';

jest.setTimeout(120_000);

let directory: string;
let copy: WorkingCopy;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'choices-'));
  copy = new WorkingCopy({ answer: '41\n' });
});
afterEach(() => {
  copy.remove();
  rmSync(directory, { recursive: true, force: true });
});

test('fails if a choice is missing, with the available names', async () => {
  const app = new App({ outdir: join(directory, 'cdk.out'), analyticsReporting: false });
  for (const name of ['One', 'Two']) {
    const stack = new Stack(app, name);
    const runtime = new AgentRuntime(stack, 'Agent', {
      agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
      mounts: [Mount.sessionStorage('/mnt/workspace')],
    });
    for (const id of ['Fix', 'Change']) {
      new CodingLoop(stack, id, { runtime, repository: GitRepository.fromInput(), gates: [Gate.command('test', './test.sh')] });
    }
  }
  const assembly = app.synth().directory;

  await expect(Rehearsal.start({ assembly })).rejects.toThrow(/cdk\.out has more than one stack: name one of One, Two with "stack" \(--stack\)$/);
  await expect(Rehearsal.start({ assembly, stack: 'Three' })).rejects.toThrow(/has no stack "Three": name one of One, Two/);
  await expect(Rehearsal.start({ assembly, stack: 'Two' })).rejects.toThrow('stack Two has more than one CodingLoop (Two/Fix, Two/Change): name one with "loop" (--loop)');
  const rehearsal = await Rehearsal.start({ assembly, stack: 'Two', loop: 'Two/Fix' });
  try {
    await expect(rehearsal.run({ prompt: 'x' })).rejects.toMatchObject({ name: 'RepositoryError', message: expect.stringContaining('name one in the input') });
    const record = await rehearsal.run({ prompt: 'x', repository: { url: copy.directory } }, { retryDelay: 0 });
    expect(record.error?.message).toContain('give a program that serves /ping and /invocations with "agent" (--agent)');
  } finally {
    await rehearsal.close();
  }
});
