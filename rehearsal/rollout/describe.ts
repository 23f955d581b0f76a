import type { RolloutDescription } from './rollout';

/** A rollout in one line. */
export function describeRollout({ version, endpointName, smokeTests, tested, seconds }: RolloutDescription): string {
  const tests = `${smokeTests.length} smoke ${smokeTests.length === 1 ? 'test' : 'tests'}`;
  const what = smokeTests.length === 0 ? 'there are no smoke tests' : tested ? `${tests} passed` : `its ${tests} had passed before`;
  return `version ${version} is rolled out as endpoint ${endpointName}: ${what} (${seconds.toFixed(1)} s)`;
}
