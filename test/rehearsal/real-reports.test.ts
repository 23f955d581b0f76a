import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Baseline, Gate, GateOptions, Verification } from '../../src';
import { useLoops } from '../support/loop-fixture';

// Real test tools, and their own reports, in a loop: repositories whose suites are red before the agent begins.

const start = useLoops();
jest.setTimeout(600_000); // the tools are downloaded, and Go compiles its standard library

/** A test tool, and a suite of four tests in two files: one is skipped, and "edge" fails. */
interface Tool {
  /** Installs the tool into a directory, unless the machine has it. */
  readonly install?: (directory: string) => void;
  readonly files: Readonly<Record<string, string>>;
  /** Returns the command of the gate. */
  readonly command: (directory: string) => string;
  readonly options: GateOptions & { readonly report: string };
  /** Shell commands that break what "small" tests, and mend it in another way. */
  readonly break: string;
  readonly mend: string;
  /** A shell command that removes a test that passes. */
  readonly remove: string;
  /** The number of tests that run. */
  readonly ran: number;
  /** The names of the tests in the reports. */
  readonly known: readonly string[];
  readonly broken: string;
  /** A shell command that makes a file of tests end its process, or fail to load. */
  readonly crash: string;
}

const execute = (cwd: string, program: string, ...args: string[]) => execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
const JEST = dirname(require.resolve('jest/package.json'));
const JEST_JUNIT = dirname(require.resolve('jest-junit/package.json'));

const TOOLS: Readonly<Record<string, Tool>> = {
  'Jest with jest-junit': {
    files: {
      '.gitignore': 'reports/\n',
      'package.json': '{ "name": "prices", "private": true, "jest": { "transform": {} } }\n',
      'prices.js': 'exports.total = (sum) => sum > 100 ? sum * 0.9 : sum;\n',
      'prices.test.js': `const { total } = require('./prices');
test('small', () => expect(total(10)).toBe(10));
test('edge', () => expect(total(100)).toBe(90));
test.skip('later', () => {});
`,
      'more.test.js': 'test(\'more\', () => {});\n',
    },
    command: () => `node ${JEST}/bin/jest.js --ci --cacheDirectory /tmp/jest-$(id -u) --reporters default --reporters ${JEST_JUNIT}`,
    options: { report: 'reports/junit.xml', environment: { JEST_JUNIT_OUTPUT_DIR: 'reports' } },
    break: 'sed -i "s/: sum/: sum + 1/" prices.js',
    mend: 'sed -i "s/: sum + 1/: sum/; s/^/\\n/" prices.js',
    remove: 'rm more.test.js',
    ran: 3,
    known: ['edge'],
    broken: 'small',
    crash: 'echo "require(\'nothing\');" >> more.test.js',
  },
  'pytest': {
    install: (directory) => execute(directory, 'python3', '-m', 'pip', 'install', '--quiet', '--target', 'pytest', 'pytest==8.4.2'),
    files: {
      '.gitignore': 'reports/\n__pycache__/\n',
      'prices.py': 'def total(sum):\n    return sum * 0.9 if sum > 100 else sum\n',
      'test_prices.py': `import pytest
from prices import total

def test_small():
    assert total(10) == 10

def test_edge():
    assert total(100) == 90

@pytest.mark.skip
def test_later():
    pass
`,
      'test_more.py': 'def test_more():\n    pass\n',
    },
    command: (directory) => `PYTHONPATH=${directory}/pytest:. python3 -B -m pytest -q -p no:cacheprovider --junitxml reports/junit.xml`,
    options: { report: 'reports/*.xml' },
    break: 'sed -i "s/else sum/else sum + 1/" prices.py',
    mend: 'sed -i "s/else sum + 1/else sum  # no discount/" prices.py',
    remove: 'rm test_more.py',
    ran: 3,
    known: ['test_prices test_edge'],
    broken: 'test_prices test_small',
    crash: 'echo "import nothing" >> test_more.py',
  },
  'gotestsum': {
    // The newest version that the Go of Debian 12 compiles.
    install: (directory) => {
      const env = { ...process.env, GOBIN: directory, GOCACHE: join(directory, 'go') };
      execFileSync('go', ['install', 'gotest.tools/gotestsum@v1.10.1'], { env, stdio: 'pipe' });
      execFileSync('go', ['build', 'testing', 'testing/internal/testdeps'], { env, stdio: 'pipe' }); // what each sandbox would compile
      execute(directory, 'chmod', '-R', 'a+rwX', 'go');
    },
    files: {
      '.gitignore': 'reports/\n',
      'go.mod': 'module example.com/prices\n\ngo 1.19\n',
      'prices.go': 'package prices\n\nfunc Total(sum int) int {\n\tif sum > 100 {\n\t\treturn sum * 9 / 10\n\t}\n\treturn sum\n}\n',
      'prices_test.go': `package prices

import "testing"

func TestSmall(t *testing.T) {
	if Total(10) != 10 {
		t.Error(Total(10))
	}
}

func TestEdge(t *testing.T) {
	if Total(100) != 90 {
		t.Error(Total(100))
	}
}

func TestLater(t *testing.T) { t.Skip() }
`,
      'more/more_test.go': 'package more\n\nimport "testing"\n\nfunc TestMore(t *testing.T) {}\n',
    },
    command: (directory) => `PATH=$PATH:${execute('/', 'go', 'env', 'GOROOT').trim()}/bin GOPATH=/tmp/go-$(id -u) GOCACHE=${directory}/go ${directory}/gotestsum --junitfile reports/junit.xml ./...`,
    options: { report: 'reports/junit.xml' },
    break: 'sed -i "s/return sum$/return sum + 1/" prices.go',
    mend: 'sed -i "s/return sum + 1/return sum \\/\\/ no discount/" prices.go',
    remove: 'rm -r more',
    ran: 3,
    known: ['example.com/prices TestEdge'],
    broken: 'example.com/prices TestSmall',
    crash: 'sed -i "s/func TestMore.*/import \\"os\\"\\n\\nfunc TestMore(t *testing.T) { os.Exit(1) }/" more/more_test.go',
  },
};

let tools: string;
beforeAll(() => {
  const cache = join(__dirname, '../../node_modules/.cache'); // a sandbox has a /tmp of its own
  mkdirSync(cache, { recursive: true });
  tools = mkdtempSync(join(cache, 'test-tools-'));
  chmodSync(tools, 0o755); // gates of verifications run as another user
});
afterAll(() => rmSync(tools, { recursive: true, force: true }));

describe.each(Object.entries(TOOLS))('%s', (_, tool) => {
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
  const red = (failed: number, more: object = {}) => ({ verdict: 'FAILED', tests: { ran: tool.ran, skipped: 1, failed, ...more } });
  const green = { verdict: 'PASSED', knownFailure: true, tests: { ran: tool.ran, ranBefore: tool.ran, skipped: 1, failed: 1, knownFailures: 1, failing: { names: tool.known } } };
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
