import { ServerFixture } from '../support/agentcore';
import { commandTest, RolloutStack } from '../support/rollout-stack';

let fixture: ServerFixture;

beforeEach(async () => {
  fixture = await ServerFixture.start({ name: 'another' }, { transition: 5_000 });
});

afterEach(() => fixture.close());

const HEALTHY = [commandTest('git --version'), commandTest('test "$HEALTHY" != no')];

describe('a rollout', () => {
  test('creates an endpoint for each version and keeps the previous one', async () => {
    const stack = new RolloutStack(fixture);

    const created = await stack.deploy({ environment: { A: '1' }, rollout: { SmokeTests: HEALTHY } });
    const updated = await stack.deploy({ environment: { A: '2' }, rollout: { SmokeTests: HEALTHY } });

    expect(created).toEqual({ status: 'COMPLETE', endpointName: 'v1', version: '1' });
    expect(updated).toEqual({ status: 'COMPLETE', endpointName: 'v2', version: '2' });
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1', 'v2']);
  });

  test('fails the deployment with the command, its exit code and its output, and returns the previous endpoint', async () => {
    const stack = new RolloutStack(fixture);
    await stack.deploy({ environment: { A: '1' }, rollout: { SmokeTests: HEALTHY } });

    const failing = [commandTest('echo the model is gone; exit 3')];
    const updated = await stack.deploy({ environment: { A: '2' }, rollout: { SmokeTests: failing } });

    expect(updated).toMatchObject({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1', version: '1' });
    expect(updated.reason).toContain('exit code 3, expected 0: echo the model is gone; exit 3\noutput ends with:\nthe model is gone\n');
    expect(updated.reason).not.toMatch(/\n +at /); // there is no room for a stack
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
  });

  test('leaves nothing behind when its creation fails', async () => {
    const stack = new RolloutStack(fixture);

    const created = await stack.deploy({ rollout: { SmokeTests: [commandTest('false')] } });

    expect(created).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
    expect(stack.responses.map(({ status }) => status)).toEqual(['FAILED', 'SUCCESS']);
  });
});
