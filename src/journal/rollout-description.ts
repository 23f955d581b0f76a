import { counted } from '../handler/counted';
import { MANIFEST_PATH } from '../image/constants';

/** The result of a rollout. */
export interface RolloutDescription {
  /** The logical ID of the custom resource. */
  readonly logicalId: string;
  /** The endpoint that it returned. */
  readonly endpointName: string;
  readonly version: string;
  /** The names of the smoke tests that the version had to pass, in order. */
  readonly smokeTests: readonly string[];
  /** The names of the tests that were skipped, since the sandbox lacks what they look at. */
  readonly skipped: readonly string[];
  /** `true` if the tests ran. An endpoint that had passed them before is returned as it is. */
  readonly tested: boolean;
  readonly seconds: number;
}

/** Describes a completed rollout in one line. */
export function describeRollout({ version, endpointName, smokeTests, skipped, tested, seconds }: RolloutDescription): string {
  const tests = counted(smokeTests.length, 'smoke test');
  const names = smokeTests.map((name) => nameOnOneLine(name)).join(', ');
  const what = smokeTests.length === 0 ? (skipped.length === 0 ? 'there are no smoke tests' : 'nothing was tested')
    : tested ? `${tests} passed: ${names}` : `its ${tests} had passed before`;
  return `version ${version} is rolled out as endpoint ${endpointName}: ${what} (${seconds.toFixed(1)} s)${skipped.length === 0 ? '' : `\n  left out: ${skipped.join(', ')}; only the app's own image has ${MANIFEST_PATH}, which is read there (--sandbox container)`}`;
}

/** Shortens the name of a smoke test. A test without a name is named after its command, which may be a script. */
export function nameOnOneLine(name: string): string {
  const text = name.replace(/\s+/g, ' ').trim();
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
