import type { RolloutBeginning, RolloutDescription } from './rollout';
import { MANIFEST_PATH } from '../../src/image/constants';

/** Describes, in one line, a rollout that is about to start. */
export function describeBeginning({ path, version, smokeTests }: RolloutBeginning): string {
  const tests = smokeTests.length === 0 ? '' : `, and running its smoke tests: ${smokeTests.map((name) => onOneLine(name)).join(', ')}`;
  return `rolling out version ${version} with ${path}${tests} …`;
}

/** Shortens the name of a smoke test. A test without a name is named after its command, which may be a script. */
function onOneLine(name: string): string {
  const text = name.replace(/\s+/g, ' ').trim();
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Describes a completed rollout in one line. */
export function describeRollout({ version, endpointName, smokeTests, skipped, tested, seconds }: RolloutDescription): string {
  const tests = `${smokeTests.length} smoke ${smokeTests.length === 1 ? 'test' : 'tests'}`;
  const names = smokeTests.map((name) => onOneLine(name)).join(', ');
  const what = smokeTests.length === 0 ? (skipped.length === 0 ? 'there are no smoke tests' : 'nothing was tested')
    : tested ? `${tests} passed: ${names}` : `its ${tests} had passed before`;
  return `version ${version} is rolled out as endpoint ${endpointName}: ${what} (${seconds.toFixed(1)} s)${skipped.length === 0 ? '' : `\n  left out: ${skipped.join(', ')}; only the app's own image has ${MANIFEST_PATH}, which is read there (--sandbox container)`}`;
}
