import type { RolloutBeginning } from './rollout';
import { nameOnOneLine } from '../../src/journal/rollout-description';

/** Describes, in one line, a rollout that is about to start. */
export function describeBeginning({ path, version, smokeTests }: RolloutBeginning): string {
  const tests = smokeTests.length === 0 ? '' : `, and running its smoke tests: ${smokeTests.map((name) => nameOnOneLine(name)).join(', ')}`;
  return `rolling out version ${version} with ${path}${tests} …`;
}
