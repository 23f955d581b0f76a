import { Story } from '../../rehearsal/cli/story';
import { Journal, Step } from '../../rehearsal/run/journal';
import { findLoop } from '../../rehearsal/run/loop-description';
import { Gate } from '../../src';
import { useLoops } from '../support/loop-fixture';

const start = useLoops();

test('the story says what was put back, left out, removed and moved away', async () => {
  const loop = await start({
    agent: 'mkdir -p ignored empty; touch ignored/x.js notes.mine .aider.chat.history.md; echo right > value.txt',
    loop: { bootstrap: ['echo x >> test.sh'], gates: [Gate.command('test', 'touch "left$(printf \'\\033[31m\')"; ./test.sh')] },
  });
  const lines: string[] = [];
  const terminal = { line: (text = '') => lines.push(text), watch: () => undefined, red: String, green: String, dim: String, bold: String };
  const journal = new Journal({
    loop: findLoop(loop.deployment), listener: new Story(terminal as never), execution: () => 'run', fileOf: () => undefined, session: () => ({ id: '' }), logOf: () => '',
  });
  const { record } = await loop.run({}, { onEvent: journal.hear });
  expect(record.outcome).toBe('COMMITTED');
  const said = lines.join('\n');
  for (const part of [
    'it changed files that git has, which were put back: test.sh',
    'new, but ignored, and so not in what can be committed: ignored/x.js',
    'without a file, and so removed: empty',
    'left out, since it is a tool\'s own or a linked worktree: .aider.chat.history.md',
    'repair 1 of 3',
    'it left files that git neither has nor ignores, which were moved away: left',
  ]) expect(said).toContain(part);
  expect(said).not.toContain('\u001b');
  expect(journal.steps.filter(({ notes }: Step) => notes !== undefined && notes.length > 0).map(({ kind }) => kind)).toEqual(['bootstrap', 'snapshot', 'snapshot', 'gate']);
});
