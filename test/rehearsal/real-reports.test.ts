import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Baseline, Gate, GateOptions, Verification } from '../../src';
import { useLoops } from '../support/loop-fixture';
import { testTools } from '../support/test-tools';

// Real test tools, and their own reports, in a loop: repositories whose suites are red before the agent begins. Jest, pytest and gotestsum run
// always, Maven Surefire and cargo-nextest with WORKBENCH_ALL_TEST_TOOLS.

const start = useLoops();
jest.setTimeout(600_000); // the tools are downloaded, and Go compiles its standard library

let tools: string;
beforeAll(() => {
  const cache = join(__dirname, '../../node_modules/.cache'); // a sandbox has a /tmp of its own
  mkdirSync(cache, { recursive: true });
  tools = mkdtempSync(join(cache, 'test-tools-'));
  chmodSync(tools, 0o755); // gates of verifications run as another user
});
afterAll(() => rmSync(tools, { recursive: true, force: true }));

describe.each(testTools())('%s', (_, tool) => {
  const { skipped = 1 } = tool;
  beforeAll(() => tool.install?.(tools));

  const loop = (agent: (turn: number) => string, options: GateOptions = {}) => start({
    files: tool.files,
    agent,
    loop: {
      gates: [Gate.command('test', `mkdir -p reports; ${tool.command(tools)}`, { ...tool.options, ...options })],
      baseline: Baseline.KNOWN_FAILURES,
      verification: Verification.inFreshSession(),
    },
  });
  /** Puts everything back, and makes another change. */
  const other = `git checkout --quiet HEAD -- . && ${tool.break} && ${tool.mend}`;
  const red = (failed: number, more: object = {}) => ({ verdict: 'FAILED', tests: { ran: tool.ran, skipped, failed, ...more } });
  const green = { verdict: 'PASSED', knownFailure: true, tests: { ran: tool.ran, ranBefore: tool.ran, skipped, failed: 1, knownFailures: 1, failing: { names: tool.known } } };
  const repaired = { outcome: 'COMMITTED', rounds: 2, verified: true, baseCheck: { gates: [red(1)] }, gates: [green], verification: { gates: [green] } };

  test('a test that the agent breaks is named first, and those that fail on the base do not stop the run', async () => {
    const run = await loop((turn) => turn === 0 ? tool.break : tool.mend);
    expect((await run.run()).record).toMatchObject(repaired);
    expect(run.turns[1].feedback).toMatchObject({ ...red(2, { knownFailures: 1 }), failingTests: [tool.broken, ...tool.known] });
  });

  test('a test that the agent removes is missed', async () => {
    const run = await loop((turn) => turn === 0 ? tool.remove : other, { failOnFewerTests: true });
    expect((await run.run()).record).toMatchObject(repaired);
    expect(run.turns[1].feedback).toMatchObject({ tests: { ran: tool.ran - 1, ranBefore: tool.ran, failed: 1 }, reason: `${tool.ran - 1} tests ran, and ${tool.ran} ran without the change` });
  });

  test('a file of tests that ends its process, or cannot be loaded, does not pass for a known failure', async () => {
    const run = await loop((turn) => turn === 0 ? tool.crash : other);
    expect((await run.run()).record).toMatchObject(repaired);
    expect(run.turns[1].feedback).toMatchObject({ verdict: 'FAILED' });
  });
});
