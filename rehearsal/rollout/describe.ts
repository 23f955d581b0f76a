import type { RolloutDescription } from './rollout';
import { MANIFEST_PATH } from '../../src/image/constants';

/** A rollout in one line. */
export function describeRollout({ version, endpointName, smokeTests, skipped, tested, seconds }: RolloutDescription): string {
  const tests = `${smokeTests.length} smoke ${smokeTests.length === 1 ? 'test' : 'tests'}`;
  const what = smokeTests.length === 0 ? (skipped.length === 0 ? 'there are no smoke tests' : 'nothing was tested') : tested ? `${tests} passed` : `its ${tests} had passed before`;
  return `version ${version} is rolled out as endpoint ${endpointName}: ${what} (${seconds.toFixed(1)} s)${skipped.length === 0 ? '' : `\n  left out: ${skipped.join(', ')}; only the app's own image has ${MANIFEST_PATH}, which is read there (--sandbox container)`}`;
}
