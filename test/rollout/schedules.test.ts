import { DeleteAgentRuntimeEndpointCommand } from '@aws-sdk/client-bedrock-agentcore-control';
import * as fc from 'fast-check';
import { ServerFixture } from '../support/agentcore';
import { startAnsweringServer } from '../support/answering-server';
import { Deployment, invokeTest, RolloutStack, RolloutStackOptions } from '../support/rollout-stack';

jest.setTimeout(600_000);

const DAY = 86_400_000;
const FAULTS = ['throttle', 'conflict', 'internal', 'reset', 'death before', 'death after'] as const;

const deployment = fc.record({
  build: fc.integer({ min: 1, max: 4 }),
  answer: fc.constantFrom('pong', 'pong', 'pong', 'nothing'),
  test: fc.constantFrom('pong', 'po'),
  runtimeName: fc.constantFrom('coder', 'coder', 'coder', 'coder', 'successor'),
  breaksLater: fc.constantFrom(false, false, false, true),
  keepEndpoints: fc.integer({ min: 1, max: 5 }),
  retentionDays: fc.constantFrom(0, 14),
  daysLater: fc.integer({ min: 0, max: 20 }),
  /** Which of the endpoints, if any, is deleted by hand before. */
  byHand: fc.option(fc.nat({ max: 9 }), { freq: 8, nil: undefined }),
  /** At which requests of the functions what goes wrong. */
  faults: fc.dictionary(fc.integer({ min: 1, max: 40 }).map(String), fc.constantFrom(...FAULTS), { maxKeys: 3 }),
});
type Step = typeof deployment extends fc.Arbitrary<infer T> ? T : never;

let fixture: ServerFixture;
let newStack: (options?: RolloutStackOptions) => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterAll(() => fixture.close());

/** A stack with what must be true of it after every step. */
class Schedule {
  private readonly stack: RolloutStack;
  private live?: { readonly runtimeId: string; readonly name: string };
  private byHand = false;
  private readonly sessions = new Set<string>();

  constructor(rollbackVersion: 'new' | 'old') {
    this.stack = newStack({ rollbackVersion });
  }

  public async step(step: Step): Promise<void> {
    await fixture.clock.advance(step.daysLater * DAY);
    await this.deleteByHand(step.byHand);
    this.prepareFaults(step);
    const requests = this.stack.responses.length;
    const result = await this.stack.deploy({
      runtimeName: step.runtimeName,
      environment: { ANSWER: step.answer, BUILD: `${step.build}` },
      breaksLater: step.breaksLater,
      rollout: {
        SmokeTests: [invokeTest({ prompt: 'ping' }, step.test)],
        KeepEndpoints: `${step.keepEndpoints}`,
        RetentionSeconds: `${step.retentionDays * 86_400}`,
      },
    });
    fixture.server.faults.clear();
    this.stack.beforeCall = undefined;
    this.stack.afterCall = undefined;
    // A template without a change is no request: what was deleted by hand is not missed until the next one.
    if (this.stack.responses.length > requests) await this.check(step, result);
  }

  public async end(): Promise<void> {
    if (this.stack.deployed) expect((await this.stack.destroy())!.status).toBe('SUCCESS');
  }

  private async check(step: Step, result: Deployment): Promise<void> {
    const failed = this.stack.responses.filter(({ reason }) => reason.includes('Operation timed out'));
    expect(failed).toEqual([]);
    if (step.answer === 'nothing') expect(result.status).not.toBe('COMPLETE');
    // Nobody knows any more whether what was deleted by hand had passed; everything else that is rolled back to, has.
    if (!this.byHand) expect(result.status).not.toBe('ROLLBACK_FAILED');
    if (step.answer === 'pong' && !step.breaksLater) expect([result.status, result.reason]).toEqual(['COMPLETE', undefined]);
    if (this.stack.deployed === undefined) {
      this.live = undefined;
      return;
    }
    if (result.endpointName !== undefined) this.live = { runtimeId: this.stack.deployed.runtimeId, name: result.endpointName };
    const endpoints = await this.stack.endpoints();
    if (!this.byHand || result.status === 'COMPLETE') {
      expect(endpoints).toContain(this.live!.name);
      const answer = await fixture.invoke({ prompt: 'ping' }, { agentRuntimeArn: this.stack.deployed.runtimeArn, qualifier: this.live!.name });
      expect(await answer.text()).toContain('pong');
      await fixture.stop({ agentRuntimeArn: this.stack.deployed.runtimeArn, qualifier: this.live!.name });
    }
    if (result.status === 'COMPLETE') {
      // Those that are kept by number, those that are young, and the one to roll back to.
      const most = step.retentionDays === 0 ? Math.max(step.keepEndpoints, 1) + 1 : 9;
      expect(endpoints.length - 1).toBeLessThanOrEqual(most);
    }
    expect([...this.sessions]).toEqual([]);
    this.byHand = this.byHand && result.status !== 'COMPLETE';
  }

  private async deleteByHand(index: number | undefined): Promise<void> {
    if (index === undefined || this.stack.deployed === undefined) return;
    const names = (await this.stack.endpoints()).slice(1);
    if (names.length === 0) return;
    this.byHand = true;
    await fixture.control.send(new DeleteAgentRuntimeEndpointCommand({
      agentRuntimeId: this.stack.deployed.runtimeId, endpointName: names[index % names.length],
    }));
    await fixture.clock.advance(60_000);
  }

  private prepareFaults({ faults }: Step): void {
    let requests = 0;
    const live = this.live;
    this.stack.beforeCall = ({ operation, input }) => {
      const fault = faults[++requests];
      if (operation === 'InvokeAgentRuntime') this.sessions.add(input.runtimeSessionId!);
      if (operation === 'DeleteAgentRuntimeEndpoint' && live) expect([input.agentRuntimeId, input.endpointName]).not.toEqual([live.runtimeId, live.name]);
      if (operation === 'DeleteAgentRuntimeEndpoint') this.forget(input.endpointName!);
      if (fault === 'death before') throw new Error('killed');
      if (fault !== undefined && fault !== 'death after') fixture.server.faults.add({ operation: operation as never, at: 'beforeStart', kind: fault });
    };
    this.stack.afterCall = ({ operation, input }) => {
      if (operation === 'StopRuntimeSession') this.sessions.delete(input.runtimeSessionId!);
      if (faults[requests] === 'death after') {
        delete faults[requests];
        throw new Error('killed');
      }
    };
  }

  /** A session ends with its endpoint; that it was stopped before is what `faults.test.ts` looks at. */
  private forget(_endpointName: string): void {
    this.sessions.clear();
  }
}

test('whatever is deployed and whatever goes wrong, new work is given a version that passed, and nothing is left behind', async () => {
  let schedules = 0;
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_007);
  console.info(`seed ${seed}`);
  await fc.assert(fc.asyncProperty(fc.array(deployment, { minLength: 1, maxLength: 4 }), fc.constantFrom('new' as const, 'old' as const), async (steps, version) => {
    schedules++;
    const schedule = new Schedule(version);
    for (const step of steps) await schedule.step({ ...step, faults: { ...step.faults } });
    await schedule.end();
  }), { numRuns: Number(process.env.SCHEDULES ?? 1_000), seed });
  expect(schedules).toBeGreaterThan(0);
});
