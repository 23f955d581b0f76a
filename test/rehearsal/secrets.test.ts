import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src';
import { reportOf } from '../../src/journal/report/report';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

const TOKEN = 'aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x';
let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

test('a token that a gate prints is in neither the record nor the report of a rehearsed run, but unchanged in the log of the workspace', async () => {
  const gates = [Gate.command('test', `printf '%s\\n' "token ghp""_${TOKEN}"; cat answer`)];
  const rehearsal = await loop.start(writes('42'), { assembly: loop.synth({ loop: { gates } }), stateDirectory: loop.copy.state });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });
  await rehearsal.close();
  const gate = record.steps.find((step) => step.kind === 'gate')!;
  expect([record.outcome, gate.output]).toEqual(['COMMITTED', expect.stringContaining('token ***')]);
  expect([JSON.stringify(record), reportOf(record)].filter((text) => text.includes(`ghp_${TOKEN}`))).toEqual([]);
  const { logPath } = record.output!.gates[0];
  expect(readFileSync(join(record.session!.workspace, logPath.replace(record.session!.mount, '')), 'utf8')).toContain(`ghp_${TOKEN}`);
});
