import { LoopNotFoundError } from '../../rehearsal/deployment';
import { chooseLoop } from '../../rehearsal/deployment/loop-description';
import { LoopDescription, loopsNamed } from '../../src/journal/loop-description';

const loopAt = (path: string, logicalId = `${path.split('/').slice(1).join('')}Runs0000`) => ({ path, logicalId });
const LOOPS = [loopAt('Stack/Fix'), loopAt('Stack/FixAll'), loopAt('Stack/Team/Upgrade'), loopAt('Stack/A/Port'), loopAt('Stack/B/Port', 'PortRuns0000')];

test.each<[string, string[]]>([
  ['Stack/Fix', ['Stack/Fix']],
  ['Fix', ['Stack/Fix']],
  ['FixAll', ['Stack/FixAll']],
  ['FixA', ['Stack/FixAll']],
  ['Team/Upgrade', ['Stack/Team/Upgrade']],
  ['TeamUpgradeRuns0000', ['Stack/Team/Upgrade']],
  ['TeamUp', ['Stack/Team/Upgrade']],
  ['Port', ['Stack/A/Port', 'Stack/B/Port']],
  ['B/Port', ['Stack/B/Port']],
  ['Fi', ['Stack/Fix', 'Stack/FixAll']],
  ['Other', []],
])('--loop %s means %j', (name, paths) => {
  expect(loopsNamed(LOOPS, name).map(({ path }) => path)).toEqual(paths);
});

test('a rehearsal chooses in the same way', () => {
  expect(chooseLoop(LOOPS as LoopDescription[], 'Stack', 'Fix')).toMatchObject({ path: 'Stack/Fix' });
  expect(() => chooseLoop(LOOPS as LoopDescription[], 'Stack', 'Port')).toThrow(LoopNotFoundError);
});
