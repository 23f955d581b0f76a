import { readFileSync } from 'node:fs';
import { fieldsOf, PAGE, runPage } from '../../scripts/write-run-page';
import { INPUT_FIELDS } from '../../src/loop/steps/input';
import { deviationsOf } from '../support/run-page';

test('the page of a run\'s input and record is up to date: if not, run "npx projen docs:run"', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(runPage());
});

test('the checked fields of an input are those of its type, and of a record\'s session', () => {
  const described = fieldsOf('LoopInput').map(({ path }) => path);
  const ofSession = [...new Set([...fieldsOf('RunRecord'), ...fieldsOf('LoopInput')].map(({ path }) => /^session\.(\w+)$/.exec(path)?.[1]).filter((name) => name !== undefined))];

  expect(described.filter((path) => !path.includes('.'))).toEqual([...INPUT_FIELDS.input]);
  expect([...INPUT_FIELDS.session].sort()).toEqual(ofSession.sort());
});

describe('finds a record that the page does not describe:', () => {
  const RECORD = {
    outcome: 'COMMITTED',
    taskId: 'task-1',
    rounds: 1,
    gates: [{ name: 'test', verdict: 'PASSED', exitCode: 0, seconds: 1, logPath: '/log', left: { names: ['x'], count: 1 } }],
    verified: true,
    verification: { sessions: ['x'], gates: [], stopped: true },
    putBack: { names: ['y'], count: 1 },
    session: { id: 'x', stopped: true },
    schemaVersion: '1.0',
  };

  test('but nothing in a valid record', () => {
    expect(deviationsOf(RECORD)).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['an extra field', { ...RECORD, extra: 1 }, 'extra is not in docs/run.md'],
    ['a missing field', { ...RECORD, rounds: undefined }, 'rounds is undefined'],
    ['something other than a list', { ...RECORD, gates: {} }, 'gates is {}'],
    ['another type', { ...RECORD, taskId: 7 }, 'taskId is 7'],
    ['an unknown word', { ...RECORD, gates: [{ ...RECORD.gates[0], verdict: 'GREEN' }] }, 'gates.verdict is "GREEN"'],
    ['an extra field in a list', { ...RECORD, gates: [{ ...RECORD.gates[0], extra: 1 }] }, 'gates.extra is not in docs/run.md'],
    ['a missing field in an object', { ...RECORD, session: { id: 'x' } }, 'session.stopped is missing'],
    ['an extra field in an object that is described elsewhere', { ...RECORD, putBack: { names: [], count: 0, more: 1 } }, 'putBack.more is not in docs/run.md'],
  ])('%s', (_, record, found) => {
    expect(deviationsOf(record)).toEqual([found]);
  });
});
