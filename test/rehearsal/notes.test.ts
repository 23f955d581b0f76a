import { ThisMachine } from '../../rehearsal/cli/this-machine';
import { findLoop } from '../../rehearsal/deployment';
import { Gate } from '../../src';
import { Journal } from '../../src/journal/journal';
import { notesOf } from '../../src/journal/notes';
import type { Step } from '../../src/journal/step';
import { Story } from '../../src/journal/story';
import { useLoops } from '../support/loop-fixture';

const start = useLoops();

test('the story says what was restored, left out, removed and moved away', async () => {
  const loop = await start({
    agent: 'mkdir -p ignored empty; touch ignored/x.js notes.mine .aider.chat.history.md; echo right > value.txt',
    seed: 'printf "[submodule \\"lib\\"]\\n\\tpath = lib\\n\\turl = ../lib.git\\n" > .gitmodules; git add .gitmodules; git update-index --add --cacheinfo 160000,1111111111111111111111111111111111111111,lib; mkdir lib',
    loop: { bootstrap: ['echo x >> test.sh'], gates: [Gate.command('test', 'touch "left$(printf \'\\033[31m\')"; ./test.sh')] },
  });
  const lines: string[] = [];
  const terminal = { line: (text = '') => lines.push(text), watch: () => undefined, red: String, green: String, dim: String, bold: String };
  const journal = new Journal({
    loop: findLoop(loop.deployment), listener: new Story(terminal as never, new ThisMachine()), execution: () => 'run', session: () => ({ id: '' }),
  });
  const { record } = await loop.run({}, { onEvent: journal.hear });
  expect(record.outcome).toBe('COMMITTED');
  const said = lines.join('\n');
  for (const part of [
    'submodules that are not initialized, so that their directories are empty ("submodules" of GitRepository initializes them): lib',
    'it changed files that git tracks, which were restored: test.sh',
    'new files that git ignores, which are not committed: ignored/x.js',
    'empty directories, which were removed: empty',
    'files of tools and linked worktrees, which were left out: .aider.chat.history.md',
    'repair 1 of 3',
    'it left files that git neither tracks nor ignores, which were moved away: left',
  ]) expect(said).toContain(part);
  expect(said).not.toContain('\u001b');
  expect(journal.steps.filter(({ notes }: Step) => notes !== undefined && notes.length > 0).map(({ kind }) => kind)).toEqual(['prepare', 'bootstrap', 'snapshot', 'snapshot', 'gate']);
});

test('the story says that the remote could not provide the history without its contents', async () => {
  const loop = await start({ agent: 'echo right > value.txt' });
  loop.git('config', 'uploadpack.allowFilter', 'false');
  const journal = new Journal({ loop: findLoop(loop.deployment), execution: () => 'run', session: () => ({ id: '' }) });
  expect((await loop.run({}, { onEvent: journal.hear })).record.outcome).toBe('COMMITTED');
  expect(journal.steps[0].notes).toEqual([expect.stringContaining('the clone has only the newest commit (set "depth" of GitRepository for more)')]);
});

test('the story names what only the workspace of the agent has if a clean checkout fails', () => {
  const list = (...names: string[]) => ({ names, count: names.length + 2 });
  const loop = { gates: [], verification: { gates: [], attempt: 1, isOver: true }, feedback: { gate: 'test', cleanCheckout: true, onlyInWorkspace: { files: list('.env', 'dist/'), programs: list('ruff') } } };
  expect(notesOf('verify', loop as never, undefined)).toEqual([
    'the gate "test" passes in the agent\'s workspace, but not in a clean checkout',
    'files that git ignores, only in the agent\'s workspace: .env, dist/, (and 2 more)',
    'programs, only in the agent\'s workspace: ruff, (and 2 more)',
  ]);
  const { onlyInWorkspace: _, ...feedback } = loop.feedback;
  expect(notesOf('verify', { ...loop, feedback } as never, undefined)).toHaveLength(1);
});
